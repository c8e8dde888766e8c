/** The document: what people wrote stays, what was measured is replaced. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../machine.ts';
import { table } from './format.ts';
import { type Goal, verdictOn } from './goal.ts';

/** Where the document and its plots are. */
export const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const DOCUMENT = join(DOCS, 'performance.md');
/** The goals of all benches as each last measured them: the table over all is made of it. */
const GOALS = join(DOCS, 'performance.json');

/** What each bench measures, in the order of the table: the marks of its section, and its key in the goals. */
const SECTIONS = ['measured', 'invented', 'long', 'soak'] as const;
type Section = (typeof SECTIONS)[number];

/** What one bench found out of its goals, when and on what. */
interface MeasuredGoals {
  readonly command: string;
  readonly date: string;
  readonly commit: string | null;
  readonly cpu: string;
  readonly goals: readonly Goal[];
}

/** By section; those that were never measured are not there. */
export type AllGoals = Readonly<Partial<Record<Section, MeasuredGoals>>>;

export interface Measured {
  readonly section: Section;
  readonly machine: Pick<Machine, 'cpu' | 'date' | 'commit'>;
  readonly command: string;
  readonly goals: readonly Goal[];
  /** Markdown. */
  readonly report: string;
}

/** Writes a bench's section of docs/performance.md and its rows of the goals at the top. */
export async function keepMeasured({ section, machine, command, goals, report }: Measured): Promise<void> {
  const { cpu, date, commit } = machine;
  const before: AllGoals = JSON.parse(await readFile(GOALS, 'utf8'));
  const all: AllGoals = { ...before, [section]: { command, date, commit, cpu, goals } };
  await writeFile(GOALS, `${JSON.stringify(all, null, 2)}\n`);
  const document = withMeasured(await readFile(DOCUMENT, 'utf8'), report, section);
  await writeFile(DOCUMENT, withMeasured(document, overview(all), 'goals'));
}

/** One table of the goals of all benches, and where each comes from. */
export function overview(all: AllGoals): string {
  const measured = SECTIONS.flatMap((section) => all[section] ?? []);
  const rows = measured.flatMap(({ goals }, at) =>
    goals.map((goal) => [goal.what, goal.goal, goal.measured, verdictOn(goal), String(at + 1)]),
  );
  const sources = measured.map(
    ({ command, date, commit, cpu }, at) =>
      `${at + 1}. \`${command}\`, ${date}, commit ${commit ?? 'unknown'}, ${cpu}`,
  );
  return [table(['', 'goal', 'measured', '', 'by'], rows), sources.join('\n')].join('\n\n');
}

/**
 * Puts `measured` between the two marks of a section.
 * @throws Error where the document has not one of each, in order: nobody's words are written over.
 */
export const withMeasured = (document: string, measured: string, section: Section | 'goals'): string =>
  between(document, measured, section);

/** The same for the marks of any document. @throws Error */
export function between(document: string, measured: string, section: string): string {
  const [begin, end] = [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`];
  const parts = document.split(begin);
  const rest = parts[1]?.split(end);
  if (parts.length !== 2 || rest?.length !== 2)
    throw new Error(`the report needs one ${begin} and, after it, one ${end}`);
  return `${parts[0]}${begin}\n${measured.trim()}\n${end}${rest[1]}`;
}
