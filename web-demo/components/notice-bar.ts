import { css, html } from 'lit';
import { icons } from '../styles/icons.ts';
import { shared } from '../styles/shared.ts';
import type { Advice } from '../words/words.ts';
import { Component, define, properties } from './component.ts';

/** Says what went wrong, and what to do next. */
class NoticeBar extends Component {
  static override properties = properties('advice', 'onDismiss');
  static override styles = [
    shared,
    css`
      div {
        display: flex;
        align-items: flex-start;
        gap: 0.75rem;
        padding: 0.85rem 1rem;
        border-radius: var(--radius);
        background: var(--record-soft);
        word-break: keep-all;
      }

      svg {
        margin-top: 0.15rem;
        color: var(--record);
      }

      p {
        flex: 1;
        overflow-wrap: anywhere;
      }

      strong {
        display: block;
        font-weight: 600;
      }

      .button {
        width: 2.5rem;
        padding: 0;
        margin: -0.3rem -0.4rem -0.3rem 0;
      }

      .button svg {
        margin: 0;
        color: inherit;
      }
    `,
  ];
  declare advice: Advice;
  declare onDismiss: () => void;

  override render() {
    const { words, advice } = this;
    return html`
      <div role="alert">
        ${icons.warning}
        <p><strong>${advice.what}</strong> ${advice.next}</p>
        <button class="button quiet" aria-label=${words.dismiss} @click=${this.onDismiss}>${icons.close}</button>
      </div>
    `;
  }
}

define('notice-bar', NoticeBar);
