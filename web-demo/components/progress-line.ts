import { css, html } from 'lit';
import { shared } from '../styles/shared.ts';
import { Component, define, properties } from './component.ts';

/** How far something is that takes its time. */
class ProgressLine extends Component {
  static override properties = properties('label', 'done', 'total');
  static override styles = [
    shared,
    css`
      div {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        font-size: 0.9375rem;
      }

      span:first-child {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .part {
        font-variant-numeric: tabular-nums;
        color: var(--ink-soft);
      }

      progress {
        display: block;
        width: 100%;
        height: 0.4rem;
        margin-top: 0.4rem;
        border: 0;
        border-radius: 1rem;
        overflow: hidden;
        appearance: none;
        background: var(--sunken);
      }

      progress::-webkit-progress-bar {
        background: var(--sunken);
      }

      progress::-webkit-progress-value {
        background: var(--accent);
        border-radius: 1rem;
        transition: inline-size 200ms;
      }

      progress::-moz-progress-bar {
        background: var(--accent);
      }
    `,
  ];
  declare label: string;
  declare done: number;
  /** In the unit of `done`; null where it is not known. */
  declare total: number | null;

  override render() {
    const { label, done, total } = this;
    const part = total ? Math.min(1, done / total) : 0;
    const percent = new Intl.NumberFormat(this.words.tag, { style: 'percent' }).format(part);
    return html`
      <div aria-hidden="true">
        <span>${label}</span>
        <span class="part">${total ? percent : ''}</span>
      </div>
      ${
        total
          ? html`<progress aria-label=${label} max="1" .value=${part}></progress>`
          : html`<progress aria-label=${label}></progress>`
      }
    `;
  }
}

define('progress-line', ProgressLine);
