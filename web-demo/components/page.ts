import { css, html, nothing } from 'lit';
import { PageModel } from '../state/page-model.ts';
import { shared } from '../styles/shared.ts';
import { adviceOf } from '../words/advice.ts';
import { Component } from './component.ts';
import './announcer.ts';
import './drop-zone.ts';
import './key-dialog.ts';
import './notice-bar.ts';
import './page-header.ts';
import './record-panel.ts';
import './session-list.ts';
import './session-stage.ts';
import './welcome-stage.ts';

/** The whole page: hands the model's parts to the components that show them. */
export class EarshotPage extends Component {
  static override styles = [
    shared,
    css`
      :host {
        --gap: 1.25rem;
        display: flex;
        flex-direction: column;
        gap: var(--gap);
        max-width: 76rem;
        min-height: 100vh;
        min-height: 100dvh;
        margin: 0 auto;
        padding: 0 clamp(1rem, 3vw, 2rem) 2.5rem;
      }

      .columns {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 21rem;
        gap: var(--gap) 1.75rem;
        align-items: start;
        flex: 1;
      }

      main {
        display: flex;
        flex-direction: column;
        gap: var(--gap);
        min-width: 0;
      }

      record-panel {
        position: sticky;
        top: 0.75rem;
        z-index: 2;
      }

      @media (max-width: 60rem) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }

      @media (max-width: 40rem) {
        :host {
          /* Room for the panel, which stands at the thumb's end of the screen. */
          padding-bottom: calc(9.5rem + env(safe-area-inset-bottom));
        }

        main > record-panel {
          position: fixed;
          inset: auto 0 0;
          top: auto;
        }
      }
    `,
  ];

  readonly #model = new PageModel();
  #stopWatching: () => void = () => {};

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopWatching = this.#model.subscribe(() => this.requestUpdate());
    this.#model.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopWatching();
  }

  override render() {
    const model = this.#model;
    const { words } = model.locale;
    const { shown, error, recorder, uploader, preferences, library, gateway } = model;
    const isElsewhere = 'shown' in recorder.state && recorder.state.shown !== shown;
    return html`
      <page-header .words=${words} 
        .onLanguage=${(tag: string) => model.locale.choose(tag)}
        .onSkip=${() => this.renderRoot.querySelector<HTMLElement>('#stage')?.focus()}
      ></page-header>
      <div class="columns">
        <main>
          <record-panel
            .words=${words}
            .state=${recorder.state}
            .levels=${recorder.levels}
            .language=${preferences.language}
            .answers=${preferences.answers}
            .hasModel=${preferences.hasModel}
            .onToggle=${() => recorder.toggle()}
            .onPreferences=${(choice: object) => Object.assign(preferences, choice)}
          ></record-panel>
          ${
            error === null
              ? nothing
              : html`<notice-bar
                  .words=${words}
                  .advice=${adviceOf(error, words)}
                  .onDismiss=${() => model.dismiss()}
                ></notice-bar>`
          }
          ${
            shown
              ? html`<session-stage
                  id="stage"
                  .words=${words}
                  .view=${shown.view}
                  .connected=${shown.connected}
                  .isRecording=${'shown' in recorder.state && recorder.state.shown === shown}
                  .isElsewhere=${isElsewhere}
                  .readTranscript=${(format: 'text' | 'srt' | 'vtt' | 'json') =>
                    gateway.call((client) => client.transcript(shown.view.id, format))}
                  .onDelete=${() => model.delete(shown.view.id)}
                  .onClose=${() => model.close()}
                  .attempt=${(work: Promise<unknown>) => model.attempt(work)}
                ></session-stage>`
              : html`<welcome-stage id="stage" .words=${words}></welcome-stage>`
          }
          <drop-zone
            .words=${words}
            .state=${uploader.state}
            .onFiles=${(files: File[]) => uploader.send(files)}
          ></drop-zone>
        </main>
        <session-list
          .words=${words}
          .items=${library.items}
          .loaded=${library.loaded}
          .hasMore=${library.hasMore}
          .shownId=${shown?.view.id ?? null}
          .onOpen=${(id: string) => model.open(id)}
          .onMore=${() => model.attempt(library.more())}
        ></session-list>
      </div>
      <page-announcer .said=${shown?.said ?? []}></page-announcer>
      <key-dialog
        .words=${words}
        .question=${gateway.question}
        .onKey=${(key: string) => gateway.enter(key)}
        .onCancel=${() => gateway.refuse()}
      ></key-dialog>
    `;
  }
}
