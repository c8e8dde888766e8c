import { css, html } from 'lit';
import type { UploadState } from '../state/uploader.ts';
import { icons } from '../styles/icons.ts';
import { shared } from '../styles/shared.ts';
import { Component, define, properties } from './component.ts';
import './progress-line.ts';

/** Takes recordings: by a button, or dropped anywhere on the page. */
class DropZone extends Component {
  static override properties = { ...properties('state', 'onFiles'), isOver: { state: true } };
  static override styles = [
    shared,
    css`
      section {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.6rem 1rem;
        padding: 0.9rem 1.25rem;
        border: 1.5px dashed color-mix(in srgb, var(--line-strong) 55%, transparent);
        border-radius: var(--radius);
        transition:
          border-color 120ms,
          background 120ms;
      }

      section.over {
        border-color: var(--accent);
        background: var(--accent-soft);
      }

      .text {
        flex: 1 1 16rem;
        word-break: keep-all;
      }

      h2 {
        font-size: 1rem;
        font-weight: 550;
      }

      progress-line {
        flex: 1 1 16rem;
        min-width: 0;
      }
    `,
  ];
  declare state: UploadState;
  declare onFiles: (files: File[]) => void;
  declare isOver: boolean;
  readonly #leave = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    const { signal } = this.#leave;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    document.addEventListener(
      'dragover',
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        this.isOver = true;
      },
      { signal },
    );
    document.addEventListener(
      'dragleave',
      // Leaving the window, not one element for the next.
      (event) => {
        if (event.relatedTarget === null) this.isOver = false;
      },
      { signal },
    );
    document.addEventListener(
      'drop',
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        this.isOver = false;
        this.onFiles([...event.dataTransfer!.files]);
      },
      { signal },
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leave.abort();
  }

  override render() {
    const { words, state, isOver } = this;
    return html`
      <section class=${isOver ? 'over' : ''} aria-labelledby="title">
        ${
          state.kind === 'sending'
            ? html`
                <h2 id="title" class="heard">${words.sending(state.name)}</h2>
                <progress-line
                  .words=${words}
                  .label=${words.sending(state.name)}
                  .done=${state.sentBytes}
                  .total=${state.totalBytes}
                ></progress-line>
                <button class="button" @click=${() => state.cancel()}>${words.cancel}</button>
              `
            : html`
                <div class="text">
                  <h2 id="title">${isOver ? words.dropHere : words.uploadTitle}</h2>
                  <p class="small soft">${words.uploadHint}</p>
                </div>
                <button class="button" @click=${() => this.renderRoot.querySelector('input')!.click()}>
                  ${icons.upload} ${words.chooseFile}
                </button>
              `
        }
        <input type="file" accept="audio/*,video/*" multiple hidden @change=${this.#chosen} />
      </section>
    `;
  }

  #chosen(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // So that the same file can be chosen again.
    input.value = '';
    if (files.length > 0) this.onFiles(files);
  }
}

define('drop-zone', DropZone);
