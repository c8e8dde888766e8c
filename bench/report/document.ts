/** The document: what people wrote stays, what was measured is replaced. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the document and its plots are. */
export const DOCS = join(import.meta.dirname, '..', '..', 'docs');

/** Writes a section of docs/performance.md, as {@link withMeasured} has it. */
export async function keepMeasured(measured: string, section?: string): Promise<void> {
  const file = join(DOCS, 'performance.md');
  await writeFile(file, withMeasured(await readFile(file, 'utf8'), measured, section));
}

/**
 * Puts `measured` between the two marks of a section.
 * @param section `measured` for `npm run bench`; others have marks of their own.
 * @throws Error where the document has not one of each, in order: nobody's words are written over.
 */
export function withMeasured(document: string, measured: string, section = 'measured'): string {
  const [begin, end] = [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`];
  const parts = document.split(begin);
  const rest = parts[1]?.split(end);
  if (parts.length !== 2 || rest?.length !== 2)
    throw new Error(`the report needs one ${begin} and, after it, one ${end}`);
  return `${parts[0]}${begin}\n${measured.trim()}\n${end}${rest[1]}`;
}
