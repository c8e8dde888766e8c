import { css, html, LitElement } from 'lit';
import { clock } from '../words/format.ts';
import { define } from './component.ts';

const EVERY_MS = 250;

/** How long it has been. Not announced: a screen reader would speak of nothing else. */
class StopWatch extends LitElement {
  static override properties = { sinceMs: { attribute: false } };
  static override styles = css`
    :host {
      font-variant-numeric: tabular-nums;
      font-weight: 400;
      color: var(--ink-soft);
    }
  `;
  declare sinceMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  override render() {
    return html`<span aria-hidden="true">${clock(Date.now() - this.sinceMs)}</span>`;
  }
}

define('stop-watch', StopWatch);
