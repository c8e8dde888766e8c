import { css, html, nothing } from 'lit';
import type { KeyQuestion } from '../state/gateway.ts';
import { shared } from '../styles/shared.ts';
import { Component, define, properties } from './component.ts';

/** Asks for an API key where the gateway wants one. */
class KeyDialog extends Component {
  static override properties = properties('question', 'onKey', 'onCancel');
  static override styles = [
    shared,
    css`
      dialog {
        width: min(26rem, calc(100vw - 2rem));
        padding: 1.5rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--card);
        color: var(--ink);
        box-shadow: var(--shadow);
        word-break: keep-all;
      }

      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }

      p {
        margin: 0.4rem 0 1rem;
      }

      label {
        display: grid;
        gap: 0.3rem;
        font-size: 0.9375rem;
        font-weight: 500;
      }

      input {
        min-height: 2.75rem;
        padding: 0 0.75rem;
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-small);
        background: var(--paper);
        font-family: ui-monospace, monospace;
      }

      .wrong {
        margin: 0.5rem 0 0;
        color: var(--record);
        font-size: 0.9375rem;
      }

      div {
        display: flex;
        justify-content: flex-end;
        gap: 0.5rem;
        margin-top: 1.25rem;
      }
    `,
  ];
  declare question: KeyQuestion | null;
  declare onKey: (key: string) => void;
  declare onCancel: () => void;

  override updated(): void {
    const dialog = this.renderRoot.querySelector('dialog')!;
    if (this.question && !dialog.open) {
      this.renderRoot.querySelector('input')!.value = '';
      dialog.showModal();
    } else if (!this.question && dialog.open) {
      dialog.close();
    }
  }

  override render() {
    const { words, question } = this;
    return html`
      <dialog aria-labelledby="title" aria-describedby="text" @cancel=${this.onCancel}>
        <form method="dialog" @submit=${this.#submit}>
          <h2 id="title">${words.keyTitle}</h2>
          <p id="text" class="soft">${words.keyText}</p>
          <label>
            ${words.keyLabel}
            <input type="password" autocomplete="off" spellcheck="false" required autofocus />
          </label>
          ${question?.refused ? html`<p class="wrong" role="alert">${words.keyWrong}</p>` : nothing}
          <div>
            <button type="button" class="button" @click=${this.onCancel}>${words.cancel}</button>
            <button class="button primary">${words.keySave}</button>
          </div>
        </form>
      </dialog>
    `;
  }

  #submit(event: Event): void {
    event.preventDefault();
    this.onKey(this.renderRoot.querySelector('input')!.value);
  }
}

define('key-dialog', KeyDialog);
