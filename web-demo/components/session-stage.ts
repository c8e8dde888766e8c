import { css, html, nothing } from 'lit';
import { EarshotError, type ErrorCode } from '../../src/client/error.ts';
import type { SessionView } from '../state/session-view.ts';
import { shared } from '../styles/shared.ts';
import { adviceOf } from '../words/advice.ts';
import { clock, languageName, moment } from '../words/format.ts';
import { Component, define, properties } from './component.ts';
import './progress-line.ts';
import './session-tools.ts';
import './session-transcript.ts';

/** One session: what it is, what was said, what was answered, and what can be done with it. */
class SessionStage extends Component {
  static override properties = properties(
    'view',
    'connected',
    'isRecording',
    'isElsewhere',
    'readTranscript',
    'onDelete',
    'onClose',
    'attempt',
  );
  static override styles = [
    shared,
    css`
      article {
        padding: 1.25rem clamp(1rem, 3vw, 1.75rem) 1.5rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--card);
        min-height: min(22rem, 44vh);
      }

      header {
        display: flex;
        align-items: flex-start;
        justify-content: space-between;
        gap: 0.75rem;
        margin-bottom: 1rem;
      }

      h2 {
        font-size: 1.0625rem;
        font-weight: 600;
      }

      .facts {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.5rem;
      }

      .facts > * + *::before {
        content: '·';
        margin-right: 0.5rem;
      }

      .close {
        width: 2.5rem;
        padding: 0;
        margin: -0.4rem -0.6rem 0 0;
      }

      .problem {
        margin-bottom: 1rem;
        padding: 0.7rem 0.9rem;
        border-radius: var(--radius-small);
        background: var(--record-soft);
      }

      progress-line {
        margin-bottom: 1.25rem;
      }

      session-tools {
        margin-top: 1.75rem;
        padding-top: 1rem;
        border-top: 1px solid var(--line);
      }

      .back {
        margin-bottom: 1rem;
      }
    `,
  ];
  declare view: SessionView;
  declare connected: boolean;
  declare isRecording: boolean;
  /** A recording is under way, and this is not it. */
  declare isElsewhere: boolean;
  declare readTranscript: (format: 'text' | 'srt' | 'vtt' | 'json') => Promise<string>;
  declare onDelete: () => void;
  declare onClose: () => void;
  declare attempt: (work: Promise<unknown>) => void;

  override render() {
    const { words, view } = this;
    const hasEnded = view.state === 'done' || view.state === 'failed';
    return html`
      ${
        this.isElsewhere
          ? html`<button class="button back" @click=${this.onClose}>${words.backToRecording}</button>`
          : nothing
      }
      <article tabindex="-1" aria-labelledby="title">
        <header>
          <div>
            <h2 id="title">${moment(view.createdAt, words.tag)}</h2>
            <p class="facts small soft">${this.#facts()}</p>
          </div>
          ${
            this.isRecording || this.isElsewhere
              ? nothing
              : html`<button
                  class="button quiet close"
                  aria-label=${words.newRecording}
                  title=${words.close}
                  @click=${this.onClose}
                >
                  <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18" /></svg>
                </button>`
          }
        </header>
        ${this.connected ? nothing : html`<p class="problem" role="alert">${words.status.reconnecting}</p>`}
        ${this.#failure()}
        ${
          view.source === 'recording' && !hasEnded
            ? html`<progress-line
                .words=${words}
                .label=${view.state === 'pending' ? words.waitingInLine : words.transcribing}
                .done=${view.progress?.processedMs ?? 0}
                .total=${view.progress?.durationMs ?? null}
              ></progress-line>`
            : nothing
        }
        <session-transcript .words=${words} .view=${view} .isListening=${this.isRecording}></session-transcript>
        ${
          hasEnded
            ? html`<session-tools
                .words=${words}
                .view=${view}
                .readTranscript=${this.readTranscript}
                .onDelete=${this.onDelete}
                .attempt=${this.attempt}
              ></session-tools>`
            : nothing
        }
      </article>
    `;
  }

  /** Not the host: one that takes the focus itself would keep the keyboard from what is inside. */
  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('article')?.focus();
  }

  #facts() {
    const { words, view } = this;
    const spoken = view.utterances[0]?.language ?? view.language;
    return [
      view.source === 'live' ? words.sourceLive : words.sourceRecording,
      ...(view.durationMs === null ? [] : [clock(view.durationMs)]),
      ...(spoken === 'auto' ? [] : [languageName(spoken, words.tag)]),
      ...(view.model === '' ? [] : [view.model]),
    ].map((fact) => html`<span>${fact}</span>`);
  }

  #failure() {
    const { words, view } = this;
    if (!view.failure) return nothing;
    const { code, message } = view.failure;
    const advice = adviceOf(new EarshotError(code as ErrorCode, message), words);
    return html`<p class="problem"><strong>${advice.what}</strong> ${advice.next}</p>`;
  }
}

define('session-stage', SessionStage);
