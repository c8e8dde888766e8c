import { css, html } from 'lit';
import { shared } from '../styles/shared.ts';
import { Component, define } from './component.ts';

/** What stands where the words will be. */
class WelcomeStage extends Component {
  static override styles = [
    shared,
    css`
      section {
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 0.6rem;
        min-height: min(22rem, 44vh);
        padding: 2.5rem 1.5rem;
        text-align: center;
      }

      svg {
        width: 5.5rem;
        height: 3.25rem;
        margin-bottom: 0.6rem;
        color: var(--accent);
        stroke-width: 3;
      }

      h2 {
        font-size: clamp(1.5rem, 4vw, 2rem);
        font-weight: 600;
        letter-spacing: -0.02em;
        text-wrap: balance;
      }

      p {
        max-width: 30rem;
        font-size: 1.0625rem;
        color: var(--ink-soft);
        text-wrap: pretty;
        word-break: keep-all;
        overflow-wrap: anywhere;
      }
    `,
  ];

  /** Not the host: one that takes the focus itself would keep the keyboard from what is inside. */
  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('section')?.focus();
  }

  override render() {
    const { words } = this;
    return html`
      <section tabindex="-1" aria-label=${words.transcript}>
        <svg viewBox="0 0 88 52" aria-hidden="true">
          <path d="M4 22v8M14 15v22M24 4v44M34 17v18M44 11v30" />
          <path d="M54 19v14M64 15v22M74 22v8M84 25v2" opacity="0.3" />
        </svg>
        <h2>${words.emptyTitle}</h2>
        <p>${words.emptyText}</p>
      </section>
    `;
  }
}

define('welcome-stage', WelcomeStage);
