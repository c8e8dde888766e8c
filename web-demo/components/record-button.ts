import { css, html } from 'lit';
import { shared } from '../styles/shared.ts';
import { Component, define, properties } from './component.ts';

/** One large button that records while it is pressed in. */
class RecordButton extends Component {
  static override properties = properties('active', 'busy', 'onToggle');
  static override styles = [
    shared,
    css`
      button {
        display: grid;
        place-items: center;
        width: 4.25rem;
        height: 4.25rem;
        padding: 0;
        border: 2px solid var(--line);
        border-radius: 50%;
        background: var(--card);
        cursor: pointer;
        transition: border-color 160ms;
      }

      button:hover {
        border-color: var(--record);
      }

      span {
        width: 2.9rem;
        height: 2.9rem;
        border-radius: 50%;
        background: var(--record);
        transition:
          width 160ms,
          height 160ms,
          border-radius 160ms;
      }

      [aria-pressed='true'] {
        border-color: var(--record);
        background: var(--record-soft);
      }

      [aria-pressed='true'] span {
        width: 1.6rem;
        height: 1.6rem;
        border-radius: 0.35rem;
      }

      [aria-disabled='true'] {
        cursor: default;
      }

      [aria-disabled='true'] span {
        opacity: 0.45;
        animation: breathe 1.2s ease-in-out infinite alternate;
      }

      @keyframes breathe {
        to {
          opacity: 0.85;
        }
      }

      @media (forced-colors: active) {
        span {
          background: ButtonText;
        }
      }
    `,
  ];
  declare active: boolean;
  declare busy: boolean;
  declare onToggle: () => void;

  override render() {
    // `aria-disabled` keeps the focus where it is; a disabled button would lose it.
    return html`
      <button
        type="button"
        aria-label=${this.words.record}
        aria-pressed=${this.active}
        aria-disabled=${this.busy}
        @click=${() => this.busy || this.onToggle()}
      >
        <span></span>
      </button>
    `;
  }
}

define('record-button', RecordButton);
