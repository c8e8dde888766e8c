import { html, svg, type TemplateResult } from 'lit';

const icon = (paths: TemplateResult): TemplateResult =>
  html`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${paths}</svg>`;

/** Drawn for a 24-unit square, in the colour of the text around them. */
export const icons = {
  microphone: icon(
    svg`<rect x="9" y="3" width="6" height="11" rx="3" /><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />`,
  ),
  file: icon(
    svg`<path d="M13.5 3H7a1.5 1.5 0 0 0-1.5 1.5v15A1.5 1.5 0 0 0 7 21h10a1.5 1.5 0 0 0 1.5-1.5V8z" /><path d="M13.5 3v5h5M9 17v-2.5M12 17v-5M15 17v-3.5" />`,
  ),
  upload: icon(
    svg`<path d="M12 15.5V4.5M7.5 9 12 4.5 16.5 9M4.5 15.5v3A1.5 1.5 0 0 0 6 20h12a1.5 1.5 0 0 0 1.5-1.5v-3" />`,
  ),
  download: icon(
    svg`<path d="M12 4.5v11M7.5 11l4.5 4.5 4.5-4.5M4.5 16v2.5A1.5 1.5 0 0 0 6 20h12a1.5 1.5 0 0 0 1.5-1.5V16" />`,
  ),
  trash: icon(
    svg`<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12a1.5 1.5 0 0 0 1.5 1.5h6.4a1.5 1.5 0 0 0 1.5-1.5l.8-12M10 11v5.5M14 11v5.5" />`,
  ),
  copy: icon(
    svg`<rect x="8.5" y="8.5" width="11" height="11.5" rx="2" /><path d="M15.5 8.5V6a2 2 0 0 0-2-2H6.5a2 2 0 0 0-2 2v7.5a2 2 0 0 0 2 2h2" />`,
  ),
  check: icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5" />`),
  back: icon(svg`<path d="M19 12H5M11 6l-6 6 6 6" />`),
  close: icon(svg`<path d="m6 6 12 12M18 6 6 18" />`),
  spark: icon(svg`<path d="M12 4c.6 4.6 2.9 7 8 8-5.1 1-7.4 3.4-8 8-.6-4.6-2.9-7-8-8 5.1-1 7.4-3.4 8-8z" />`),
  warning: icon(svg`<path d="M12 4.5 21 19.5H3zM12 10v4.5M12 17v.2" />`),
};
