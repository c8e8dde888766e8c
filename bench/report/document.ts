/** The document: what people wrote stays, what was measured is replaced. */

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/**
 * Puts `measured` between the two marks.
 * @throws Error where the document has not one of each, in order: nobody's words are written over.
 */
export function withMeasured(document: string, measured: string): string {
  const parts = document.split(BEGIN);
  const rest = parts[1]?.split(END);
  if (parts.length !== 2 || rest?.length !== 2)
    throw new Error(`the report needs one ${BEGIN} and, after it, one ${END}`);
  return `${parts[0]}${BEGIN}\n${measured.trim()}\n${END}${rest[1]}`;
}
