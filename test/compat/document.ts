/** The tables of docs/compat.md: what is spoken of each vendor's protocol, and how. */
import type { Protocol, Section } from './table.ts';

const MARKS = ['<!-- protocols: begin -->', '<!-- protocols: end -->'] as const;

/** The document with its tables as they should be. @throws Error where the marks are missing. */
export function withProtocols(document: string, protocols: readonly Protocol[]): string {
  const [before, rest] = document.split(MARKS[0]);
  const after = rest?.split(MARKS[1])[1];
  if (before === undefined || after === undefined) throw new Error(`there are no marks ${MARKS.join(' … ')}`);
  return `${before}${MARKS[0]}\n${protocols.map(chapter).join('\n\n')}\n${MARKS[1]}${after}`;
}

const chapter = ({ title, sections }: Protocol): string =>
  [`## ${title}`, ...sections.map(tableOf)].join('\n\n');

const tableOf = ({ title, rows }: Section): string =>
  [
    `### ${title}\n`,
    '| | | |',
    '| --- | --- | --- |',
    ...rows.map(({ name, status, how }) => `| \`${cell(name)}\` | ${status} | ${cell(how ?? '')} |`),
  ].join('\n');

/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
