/** The table of docs/reliability.md: promises, the tests that hold them, and what the long ones last found. */
import { CHAPTERS, type Promised } from './promises.ts';

/** By promise and, where there are two, database. */
export type Results = Readonly<Record<string, { readonly result: string; readonly date: string }>>;

const MARKS = ['<!-- promises: begin -->', '<!-- promises: end -->'] as const;

/** The document with its table as it should be. @throws Error where the marks are missing. */
export function withPromises(document: string, results: Results): string {
  const [before, rest] = document.split(MARKS[0]);
  const after = rest?.split(MARKS[1])[1];
  if (before === undefined || after === undefined) throw new Error(`there are no marks ${MARKS.join(' … ')}`);
  return `${before}${MARKS[0]}\n${tables(results)}\n${MARKS[1]}${after}`;
}

const tables = (results: Results): string =>
  CHAPTERS.map(({ title, promises }) =>
    [
      `### ${title}\n`,
      '| | promise | held by | last long run |',
      '| --- | --- | --- | --- |',
      ...promises.map((promised) => row(promised, results)),
    ].join('\n'),
  ).join('\n\n');

function row({ id, promise, tests }: Promised, results: Results): string {
  const held = tests.map((test) => `[${test.replace('.test.ts', '')}](../test/${test})`).join(', ');
  const found = Object.entries(results)
    .filter(([name]) => name === id || name.startsWith(`${id} `))
    .map(
      ([name, { result, date }]) =>
        `${name.slice(id.length + 1)}${name === id ? '' : ': '}${result} (${date})`,
    );
  return `| ${id} | ${promise} | ${held} | ${found.join('; ') || 'in every run'} |`;
}
