import { css, html, nothing } from 'lit';
import type { Answer } from '../state/session-view.ts';
import { icons } from '../styles/icons.ts';
import { shared } from '../styles/shared.ts';
import { Component, define, properties } from './component.ts';

/** What the language model says, growing while it speaks. */
class ModelAnswer extends Component {
  static override properties = properties('answer');
  static override styles = [
    shared,
    css`
      section {
        padding: 0.7rem 0.95rem 0.8rem;
        border-radius: var(--radius-small);
        background: var(--accent-soft);
      }

      h3 {
        display: flex;
        align-items: center;
        gap: 0.4rem;
        font-size: var(--small);
        font-weight: 600;
        color: var(--accent);
      }

      h3 svg {
        width: 1rem;
        height: 1rem;
      }

      p {
        line-height: 1.6;
        white-space: pre-line;
        word-break: keep-all;
        overflow-wrap: anywhere;
      }

      .growing::after {
        content: '';
        display: inline-block;
        width: 0.45rem;
        height: 1em;
        margin-left: 0.2rem;
        vertical-align: -0.15em;
        border-radius: 2px;
        background: var(--accent);
        animation: blink 0.9s steps(2, start) infinite;
      }

      @keyframes blink {
        to {
          visibility: hidden;
        }
      }
    `,
  ];
  declare answer: Answer;

  override render() {
    const { words, answer } = this;
    const isGrowing = answer.state === 'streaming';
    return html`
      <section aria-busy=${isGrowing}>
        <h3>${icons.spark} ${words.answer}</h3>
        ${
          answer.text === '' && !isGrowing
            ? nothing
            : html`<p class=${isGrowing ? 'growing' : 'whole'}>${answer.text || words.answerPending}</p>`
        }
        ${answer.state === 'failed' ? html`<p class="soft">${words.answerFailed}</p>` : nothing}
      </section>
    `;
  }
}

define('model-answer', ModelAnswer);
