import { css, html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Utterance } from '../../src/client/index.ts';
import type { Hypothesis, SessionView } from '../state/session-view.ts';
import { shared } from '../styles/shared.ts';
import { clock } from '../words/format.ts';
import { Component, define, properties } from './component.ts';
import './model-answer.ts';

/** How near to its end the page must be scrolled to be kept there. */
const NEAR_PX = 160;

/** What was said, utterance by utterance, with what was answered; settled and unsettled words told apart. */
class SessionTranscript extends Component {
  static override properties = properties('view', 'isListening');
  static override styles = [
    shared,
    css`
      ol {
        display: grid;
        gap: 0.85rem;
      }

      li {
        display: grid;
        grid-template-columns: 3.25rem minmax(0, 1fr);
        align-items: baseline;
        gap: 0.25rem 0.75rem;
      }

      time {
        font-size: var(--small);
        font-variant-numeric: tabular-nums;
        color: var(--ink-soft);
      }

      .said {
        font-size: clamp(1.125rem, 2.2vw, 1.3125rem);
        line-height: 1.6;
        word-break: keep-all;
        overflow-wrap: anywhere;
      }

      .said:is(:lang(ja), :lang(zh)) {
        word-break: normal;
      }

      .unsettled {
        color: var(--ink-soft);
        text-decoration: underline dotted;
        text-decoration-thickness: 2px;
        text-underline-offset: 0.28em;
        text-decoration-color: var(--line-strong);
      }

      .caret {
        display: inline-block;
        width: 0.55rem;
        height: 0.55rem;
        margin-left: 0.35rem;
        border-radius: 50%;
        background: var(--accent);
        animation: pulse 1s ease-in-out infinite alternate;
      }

      @keyframes pulse {
        from {
          opacity: 0.25;
        }
      }

      model-answer {
        grid-column: 2;
      }

      ol + model-answer,
      .withheld {
        margin-top: 1.25rem;
      }

      .end {
        scroll-margin-bottom: 3rem;
      }

      /* On a phone the panel stands over the lower end of the page. */
      @media (max-width: 40rem) {
        .end {
          scroll-margin-bottom: 10rem;
        }
      }

      @media (max-width: 30rem) {
        li {
          grid-template-columns: minmax(0, 1fr);
        }

        model-answer {
          grid-column: 1;
        }
      }
    `,
  ];
  declare view: SessionView;
  declare isListening: boolean;
  #wasNearEnd = true;

  override willUpdate(): void {
    const { scrollHeight } = document.documentElement;
    this.#wasNearEnd = scrollY + innerHeight > scrollHeight - NEAR_PX;
  }

  override updated(): void {
    if (!this.isListening || !this.#wasNearEnd) return;
    this.renderRoot.querySelector('.end')?.scrollIntoView({ block: 'nearest' });
  }

  override render() {
    const { words, view } = this;
    const { utterances, hypothesis, answers } = view;
    return html`
      <ol aria-label=${words.transcript}>
        ${repeat(
          utterances,
          ({ id }) => id,
          (utterance) => this.#utterance(utterance),
        )}
        ${hypothesis ? this.#hypothesis(hypothesis) : this.#waiting()}
      </ol>
      ${answers
        .filter(({ utteranceId }) => utteranceId === null)
        .map((answer) => html`<model-answer .words=${words} .answer=${answer}></model-answer>`)}
      ${view.withheld > 0 ? html`<p class="withheld small soft">${words.withheld(view.withheld)}</p>` : nothing}
      <div class="end"></div>
    `;
  }

  #utterance({ id, startMs, text, language }: Utterance) {
    const answers = this.view.answers.filter(({ utteranceId }) => utteranceId === id);
    return html`
      <li>
        <time>${clock(startMs)}</time>
        <p class="said" lang=${language}>${text}</p>
        ${answers.map((answer) => html`<model-answer .words=${this.words} .answer=${answer}></model-answer>`)}
      </li>
    `;
  }

  #hypothesis({ startMs, text, stableChars }: Hypothesis) {
    // The space before the first unsettled word belongs to neither: it gets no line.
    const settled = text.slice(0, stableChars) + (/^\s*/.exec(text.slice(stableChars))?.[0] ?? '');
    const unsettled = text.slice(settled.length);
    return html`
      <li class="hypothesis">
        <time>${clock(startMs)}</time>
        <p class="said">
          <span class="settled">${settled}</span
          >${
            unsettled === ''
              ? nothing
              : html`<span class="unsettled">${unsettled}</span><span class="heard">${this.words.mayChange}</span>`
          }<span class="caret" aria-hidden="true"></span>
        </p>
      </li>
    `;
  }

  #waiting() {
    const { words, view, isListening } = this;
    const isRunning = view.state === 'pending' || view.state === 'running';
    if (isListening || (isRunning && view.source === 'live'))
      return html`<li><span></span><p class="soft">${words.listening}</p></li>`;
    if (view.utterances.length > 0 || isRunning || view.failure) return nothing;
    return html`<li><span></span><p class="soft">${words.nothingSaid}</p></li>`;
  }
}

define('session-transcript', SessionTranscript);
