import { css, html } from 'lit';
import { shared } from '../styles/shared.ts';
import { INTERFACE_LANGUAGES } from '../words/locale.ts';
import { Component, define, properties } from './component.ts';

/** The name, and the language of the interface. */
class PageHeader extends Component {
  static override properties = properties('onLanguage', 'onSkip');
  static override styles = [
    shared,
    css`
      header {
        display: flex;
        align-items: center;
        gap: 0.75rem;
        padding: 1.1rem 0 0.1rem;
      }

      .skip {
        position: absolute;
        left: 1rem;
        top: -4rem;
        z-index: 3;
      }

      .skip:focus {
        top: 0.75rem;
      }

      h1 {
        display: flex;
        align-items: center;
        gap: 0.6rem;
        flex: 1;
        font-size: 1.1875rem;
        font-weight: 650;
        letter-spacing: -0.01em;
      }

      h1 svg {
        width: 1.75rem;
        height: 1.75rem;
        padding: 0.3rem;
        border-radius: 0.5rem;
        background: var(--accent);
        color: var(--on-accent);
        stroke-width: 2.4;
      }

      fieldset {
        display: flex;
        margin: 0;
        padding: 0.1875rem;
        border: 0;
        border-radius: 999px;
        background: var(--sunken);
      }

      label {
        position: relative;
        padding: 0.25rem 0.8rem;
        border-radius: 999px;
        font-size: 0.875rem;
        color: var(--ink-soft);
        white-space: nowrap;
        cursor: pointer;
      }

      label:has(:checked) {
        background: var(--card);
        color: var(--ink);
        box-shadow: 0 1px 2px rgb(0 0 0 / 12%);
      }

      label:has(:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 1px;
      }

      input {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }

      a {
        padding: 0.25rem 0.5rem;
        font-size: 0.875rem;
        color: var(--ink-soft);
      }

      @media (max-width: 24rem) {
        header {
          gap: 0.25rem;
        }

        label {
          padding: 0.25rem 0.6rem;
        }
      }
    `,
  ];
  declare onLanguage: (tag: string) => void;
  /** Moves the focus past what comes first on the page. */
  declare onSkip: () => void;

  override render() {
    const { words } = this;
    return html`
      <header>
        <button class="button primary skip" @click=${this.onSkip}>${words.skipToContent}</button>
        <h1>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 10v4M9.3 7v10M14.6 9v6M20 11v2" /></svg>
          Earshot
        </h1>
        <a href="./docs">${words.apiDocs}</a>
        <fieldset>
          <legend class="heard">${words.interfaceLanguage}</legend>
          ${INTERFACE_LANGUAGES.map(
            (language) => html`
              <label lang=${language.words.tag}>
                <input
                  type="radio"
                  name="language"
                  .checked=${language.words === words}
                  @change=${() => this.onLanguage(language.words.tag)}
                />
                ${language.name}
              </label>
            `,
          )}
        </fieldset>
      </header>
    `;
  }
}

define('page-header', PageHeader);
