import { css, html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Session } from '../../src/client/index.ts';
import { icons } from '../styles/icons.ts';
import { shared } from '../styles/shared.ts';
import { clock, moment } from '../words/format.ts';
import { Component, define, properties } from './component.ts';

/** Past and running sessions, newest first. */
class SessionList extends Component {
  static override properties = properties('items', 'loaded', 'hasMore', 'shownId', 'onOpen', 'onMore');
  static override styles = [
    shared,
    css`
      h2 {
        padding: 0.25rem 0.25rem 0.6rem;
        font-size: 0.9375rem;
        font-weight: 600;
        color: var(--ink-soft);
      }

      ul {
        display: grid;
        gap: 0.3rem;
      }

      li button {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0.1rem 0.75rem;
        width: 100%;
        padding: 0.65rem 0.75rem;
        border: 1px solid transparent;
        border-radius: var(--radius-small);
        background: none;
        text-align: left;
        cursor: pointer;
      }

      li button:hover {
        background: var(--sunken);
      }

      li [aria-current] {
        border-color: var(--line);
        background: var(--card);
      }

      svg {
        grid-row: span 2;
        margin-top: 0.15rem;
        color: var(--ink-soft);
      }

      .text {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 0.9375rem;
      }

      .empty {
        padding: 1.25rem;
        border: 1.5px dashed color-mix(in srgb, var(--line-strong) 55%, transparent);
        border-radius: var(--radius);
        text-align: center;
        font-size: 0.9375rem;
        word-break: keep-all;
      }

      .running {
        color: var(--accent);
        font-weight: 600;
      }

      .failed {
        color: var(--record);
        font-weight: 600;
      }

      .more {
        width: 100%;
        margin-top: 0.5rem;
      }
    `,
  ];
  declare items: readonly Session[];
  declare loaded: boolean;
  declare hasMore: boolean;
  declare shownId: string | null;
  declare onOpen: (id: string) => void;
  declare onMore: () => void;

  override render() {
    const { words, items } = this;
    return html`
      <nav aria-labelledby="title">
        <h2 id="title">${words.sessions}</h2>
        ${this.loaded && items.length === 0 ? html`<p class="empty soft">${words.noSessions}</p>` : nothing}
        <ul>
          ${repeat(
            items,
            ({ id }) => id,
            (session) => html`<li>${this.#row(session)}</li>`,
          )}
        </ul>
        ${
          this.hasMore
            ? html`<button class="button quiet more" @click=${this.onMore}>${words.olderSessions}</button>`
            : nothing
        }
      </nav>
    `;
  }

  #row(session: Session) {
    const { words } = this;
    const { id, source, createdAt, audio, text, metadata, utterances } = session;
    const isLive = source === 'live';
    return html`
      <button aria-current=${id === this.shownId ? 'true' : nothing} @click=${() => this.onOpen(id)}>
        ${isLive ? icons.microphone : icons.file}
        <span class="text" lang=${utterances[0]?.language ?? nothing}>${this.#title(session, text, metadata.name)}</span>
        <span class="small soft">
          <span class="heard">${isLive ? words.sourceLive : words.sourceRecording},</span>
          ${moment(createdAt, words.tag)}${audio.durationMs === null ? nothing : html` · ${clock(audio.durationMs)}`}
          ${this.#state(session)}
        </span>
      </button>
    `;
  }

  #title({ state }: Session, text: string, name: string | undefined) {
    if (text !== '') return text;
    if (name) return name;
    const isRunning = state === 'PENDING' || state === 'IN_PROGRESS';
    return html`<span class="soft">${isRunning ? this.words.noWordsYet : this.words.nothingSaid}</span>`;
  }

  #state({ state, error }: Session) {
    if (error) return html` · <span class="failed">${this.words.failed}</span>`;
    if (state !== 'PENDING' && state !== 'IN_PROGRESS') return nothing;
    return html` · <span class="running">${this.words.running}</span>`;
  }
}

define('session-list', SessionList);
