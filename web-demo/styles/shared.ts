import { css } from 'lit';

/** What every component starts from: sizes that add up, visible focus, buttons that look alike. */
export const shared = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host {
    display: block;
    font-family: var(--sans);
    color: var(--ink);
  }

  :host([hidden]),
  [hidden] {
    display: none !important;
  }

  h1,
  h2,
  h3,
  p,
  ol,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }

  ol,
  ul {
    list-style: none;
  }

  a {
    color: var(--accent);
  }

  button,
  select,
  input {
    font: inherit;
    color: inherit;
  }

  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-height: 2.5rem;
    padding: 0.35rem 0.9rem;
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
    background: var(--card);
    font-size: 0.9375rem;
    font-weight: 500;
    text-decoration: none;
    cursor: pointer;
    transition:
      background 120ms,
      border-color 120ms;
  }

  .button:hover {
    border-color: var(--line-strong);
  }

  .button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }

  .button.danger {
    color: var(--record);
  }

  .button.quiet {
    border-color: transparent;
    background: transparent;
  }

  .button.quiet:hover {
    background: var(--sunken);
  }

  .button:disabled {
    opacity: 0.55;
    cursor: default;
  }

  .small {
    font-size: var(--small);
  }

  .soft {
    color: var(--ink-soft);
  }

  .heard {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  svg {
    flex: none;
    width: 1.25rem;
    height: 1.25rem;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;
