import { css, html, nothing } from 'lit';
import { type SessionView, textOf } from '../state/session-view.ts';
import { icons } from '../styles/icons.ts';
import { shared } from '../styles/shared.ts';
import { Component, define, properties } from './component.ts';

const FORMATS = [
  { format: 'text', name: 'txt', type: 'text/plain' },
  { format: 'srt', name: 'srt', type: 'application/x-subrip' },
  { format: 'vtt', name: 'vtt', type: 'text/vtt' },
  { format: 'json', name: 'json', type: 'application/json' },
] as const;

const COPIED_MS = 2_000;

/** What can be done with a finished session: take its text along, or erase it. */
class SessionTools extends Component {
  static override properties = {
    ...properties('view', 'readTranscript', 'onDelete', 'attempt'),
    isCopied: { state: true },
  };
  static override styles = [
    shared,
    css`
      div {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
      }

      .downloads {
        display: inline-flex;
        flex-wrap: nowrap;
        align-items: center;
        gap: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
      }

      .downloads > span {
        display: inline-flex;
        gap: 0.5rem;
        padding: 0 0.35rem 0 0.9rem;
        font-size: 0.9375rem;
        font-weight: 500;
      }

      .downloads .button {
        border: 0;
        min-height: 2.375rem;
        padding: 0.35rem 0.6rem;
        background: none;
        color: var(--accent);
      }

      .downloads .button:hover {
        text-decoration: underline;
      }

      .danger {
        margin-left: auto;
      }

      dialog {
        max-width: min(24rem, calc(100vw - 2rem));
        padding: 1.5rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--card);
        color: var(--ink);
        box-shadow: var(--shadow);
      }

      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }

      dialog p {
        margin: 0.4rem 0 1.25rem;
      }

      dialog div {
        justify-content: flex-end;
      }

      @media (max-width: 26rem) {
        .downloads > span > span {
          display: none;
        }
      }
    `,
  ];
  declare view: SessionView;
  declare readTranscript: (format: (typeof FORMATS)[number]['format']) => Promise<string>;
  declare onDelete: () => void;
  declare attempt: (work: Promise<unknown>) => void;
  declare isCopied: boolean;

  override render() {
    const { words } = this;
    return html`
      <div>
        <button class="button" @click=${() => this.attempt(this.#copy())}>
          ${this.isCopied ? icons.check : icons.copy}
          ${words.copy}
        </button>
        <span class="heard" role="status">${this.isCopied ? words.copied : nothing}</span>
        <div class="downloads" role="group" aria-label=${words.download}>
          <span aria-hidden="true">${icons.download}<span>${words.download}</span></span>
          ${FORMATS.map(
            (format) => html`
              <button
                class="button"
                aria-label=${`${words.download}: ${format.name}`}
                @click=${() => this.attempt(this.#download(format))}
              >
                ${format.name}
              </button>
            `,
          )}
        </div>
        <button class="button quiet danger" @click=${() => this.#dialog.showModal()}>
          ${icons.trash} ${words.remove}
        </button>
      </div>
      <dialog aria-labelledby="question" @close=${this.#decided}>
        <form method="dialog">
          <h2 id="question">${words.removeTitle}</h2>
          <p class="soft">${words.removeText}</p>
          <div>
            <button class="button" value="keep" autofocus>${words.cancel}</button>
            <button class="button danger" value="remove">${icons.trash} ${words.remove}</button>
          </div>
        </form>
      </dialog>
    `;
  }

  get #dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector('dialog')!;
  }

  #decided(): void {
    if (this.#dialog.returnValue === 'remove') this.onDelete();
    this.#dialog.returnValue = '';
  }

  async #copy(): Promise<void> {
    await navigator.clipboard.writeText(textOf(this.view));
    this.isCopied = true;
    setTimeout(() => {
      this.isCopied = false;
    }, COPIED_MS);
  }

  /** Read with the key, so a plain link would not do. */
  async #download({ format, name, type }: (typeof FORMATS)[number]): Promise<void> {
    const text = await this.readTranscript(format);
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = document.createElement('a');
    link.href = address;
    link.download = `earshot-${this.view.createdAt.slice(0, 19).replaceAll(':', '-')}.${name}`;
    link.click();
    URL.revokeObjectURL(address);
  }
}

define('session-tools', SessionTools);
