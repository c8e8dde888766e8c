import { html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Said } from '../state/shown-session.ts';
import { shared } from '../styles/shared.ts';
import { define } from './component.ts';

/** Speaks to screen readers: what is settled, once, and politely. Hypotheses would drown everything else. */
class PageAnnouncer extends LitElement {
  static override properties = { said: { attribute: false } };
  static override styles = [shared];
  declare said: readonly Said[];

  override render() {
    return html`
      <div class="heard" role="log" aria-live="polite">
        ${repeat(
          this.said,
          ({ seq }) => seq,
          ({ text }) => html`<p>${text}</p>`,
        )}
      </div>
    `;
  }
}

define('page-announcer', PageAnnouncer);
