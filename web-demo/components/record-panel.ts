import { css, html, nothing } from 'lit';
import type { Levels } from '../state/levels.ts';
import { type AnswerMode, SPOKEN_LANGUAGES } from '../state/preferences.ts';
import type { RecorderState } from '../state/recorder.ts';
import { shared } from '../styles/shared.ts';
import { languageName } from '../words/format.ts';
import type { RecorderWord } from '../words/words.ts';
import { Component, define, properties } from './component.ts';
import './level-meter.ts';
import './record-button.ts';
import './stop-watch.ts';

/** Everything needed to record: the button, what it is doing, how loud it is, and what is asked of the session. */
class RecordPanel extends Component {
  static override properties = properties(
    'state',
    'levels',
    'language',
    'answers',
    'hasModel',
    'onToggle',
    'onPreferences',
  );
  static override styles = [
    shared,
    css`
      section {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        align-items: center;
        gap: 0.5rem 1.25rem;
        padding: 1rem 1.25rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--card);
        box-shadow: var(--shadow);
      }

      .status {
        display: flex;
        align-items: baseline;
        gap: 0.6rem;
        font-weight: 550;
      }

      level-meter {
        height: 2.25rem;
        margin-top: 0.3rem;
      }

      .choices {
        display: grid;
        gap: 0.4rem;
      }

      label {
        display: grid;
        grid-template-columns: 1fr;
        font-size: 0.75rem;
        color: var(--ink-soft);
      }

      select {
        width: 13.5rem;
        min-height: 2.125rem;
        padding: 0 1.9rem 0 0.65rem;
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
        background: var(--card);
        color: var(--ink);
        font-size: 0.9375rem;
        text-overflow: ellipsis;
      }

      select:disabled {
        opacity: 0.6;
      }

      .lost {
        grid-column: 1 / -1;
        padding: 0.5rem 0.75rem;
        border-radius: var(--radius-small);
        background: var(--warning-soft);
        color: var(--warning);
        font-size: 0.9375rem;
      }

      @media (max-width: 40rem) {
        section {
          grid-template-columns: auto minmax(0, 1fr);
          gap: 0.6rem 1rem;
          padding: 0.75rem max(1rem, env(safe-area-inset-right)) calc(0.75rem + env(safe-area-inset-bottom));
          border-width: 1px 0 0;
          border-radius: var(--radius) var(--radius) 0 0;
        }

        level-meter {
          height: 1.75rem;
        }

        .choices {
          grid-column: 1 / -1;
          grid-template-columns: 1fr 1fr;
          gap: 0.75rem;
        }

        /* Nothing can be chosen now, and the words need the room. */
        .choices.idle-only {
          display: none;
        }

        select {
          width: 100%;
        }
      }
    `,
  ];
  declare state: RecorderState;
  declare levels: Levels;
  declare language: string;
  declare answers: AnswerMode;
  declare hasModel: boolean;
  declare onToggle: () => void;
  declare onPreferences: (choice: { language?: string; answers?: AnswerMode }) => void;

  override render() {
    const { words, state } = this;
    const word: RecorderWord = state.kind === 'recording' && !state.connected ? 'reconnecting' : state.kind;
    return html`
      <section aria-label=${words.record}>
        <record-button
          .words=${words}
          .active=${state.kind === 'recording'}
          .busy=${state.kind === 'starting' || state.kind === 'finishing'}
          .onToggle=${this.onToggle}
        ></record-button>
        <div>
          <p class="status">
            <span role="status">${words.status[word]}</span>
            ${state.kind === 'recording' ? html`<stop-watch .sinceMs=${state.sinceMs}></stop-watch>` : nothing}
          </p>
          ${
            state.kind === 'idle'
              ? html`<p class="soft small">${words.hint}</p>`
              : html`<level-meter .levels=${this.levels}></level-meter>`
          }
        </div>
        <div class=${state.kind === 'idle' ? 'choices' : 'choices idle-only'}>
          ${this.#choices(state.kind !== 'idle')}
        </div>
        ${word === 'reconnecting' ? html`<p class="lost" role="alert">${words.lostConnection}</p>` : nothing}
      </section>
    `;
  }

  #choices(disabled: boolean) {
    const { words, language, answers, hasModel } = this;
    const option = (value: string, label: string, chosen: string, tag = words.tag) =>
      html`<option value=${value} lang=${tag} ?selected=${value === chosen}>${label}</option>`;
    return html`
      <label>
        ${words.spokenLanguage}
        <select
          ?disabled=${disabled}
          @change=${(event: Event) => this.onPreferences({ language: chosenOf(event) })}
        >
          ${option('auto', words.detectLanguage, language)}
          ${SPOKEN_LANGUAGES.map((code) => option(code, languageName(code, code), language, code))}
        </select>
      </label>
      <label>
        ${words.answers}
        <select
          ?disabled=${disabled || !hasModel}
          @change=${(event: Event) => this.onPreferences({ answers: chosenOf(event) as AnswerMode })}
        >
          ${option('off', words.answersOff, answers)}
          ${option('utterance', words.answersPerUtterance, answers)}
          ${option('sessionEnd', words.answersAtEnd, answers)}
        </select>
      </label>
    `;
  }
}

const chosenOf = (event: Event): string => (event.target as HTMLSelectElement).value;

define('record-panel', RecordPanel);
