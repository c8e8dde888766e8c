/** What was invented, as a table, with the goals of each kind. */
import { table, tenths } from '../report/format.ts';
import { atMost, type Goal, judged } from '../report/goal.ts';
import { type Invention, type Listening, wordCount } from './listen.ts';
import type { Kind } from './sounds.ts';

/** Words in the finals of an hour. */
const GOALS: Readonly<Record<Kind, number>> = { silence: 0, noise: 0, hum: 0, music: 5 };

export interface HeardSound {
  readonly kind: Kind;
  readonly name: string;
  readonly listening: Listening;
}

const HEAD = ['sound', 'minutes', 'utterances', 'words in partials', 'words in finals', 'withheld finals'];

/** @param texts Whether each text is listed too. */
export function reportOf(heard: readonly HeardSound[], texts: boolean): string {
  const kinds = kindsOf(heard);
  const rows = kinds.flatMap((kind) => {
    const ofKind = heard.filter((sound) => sound.kind === kind);
    const each = ofKind.length > 1 ? ofKind.map(({ name, listening }) => rowOf(name, [listening])) : [];
    return [
      ...each,
      rowOf(
        `**${kind}**`,
        ofKind.map(({ listening }) => listening),
      ),
    ];
  });
  const listed = texts ? heard.flatMap(textsOf) : [];
  return [table(HEAD, rows), listed.join('\n')].filter(Boolean).join('\n\n');
}

const sumOf = <T>(items: readonly T[], count: (item: T) => number): number =>
  items.reduce((sum, item) => sum + count(item), 0);

const wordsIn = (listenings: readonly Listening[], kind: Invention['kind']): number =>
  sumOf(listenings, ({ inventions }) =>
    sumOf(
      inventions.filter((invention) => invention.kind === kind),
      ({ text }) => wordCount(text),
    ),
  );

function rowOf(name: string, listenings: readonly Listening[]): string[] {
  const reasons = new Map<string, number>();
  for (const { reason } of listenings.flatMap(({ inventions }) => inventions))
    if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const withheld = [...reasons].sort().map(([reason, count]) => `${reason} ${count}`);
  return [
    name,
    (sumOf(listenings, ({ seconds }) => seconds) / 60).toFixed(1),
    String(sumOf(listenings, ({ utterances }) => utterances)),
    String(wordsIn(listenings, 'partial')),
    String(wordsIn(listenings, 'final')),
    withheld.join(', ') || '–',
  ];
}

/** Of each kind of sound that was played. */
export const goalsOf = (heard: readonly HeardSound[]): Goal[] =>
  kindsOf(heard)
    .map((kind) => {
      const listenings = heard.filter((sound) => sound.kind === kind).map(({ listening }) => listening);
      const hours = sumOf(listenings, ({ seconds }) => seconds) / 3600;
      const anHour = wordsIn(listenings, 'final') / hours;
      return atMost(`words invented in an hour of ${kind}`, anHour, GOALS[kind], tenths);
    })
    .map(judged);

const kindsOf = (heard: readonly HeardSound[]): Kind[] => [...new Set(heard.map(({ kind }) => kind))];

const textsOf = ({ name, listening }: HeardSound): string[] =>
  listening.inventions.map(
    ({ kind, startMs, text, reason }) =>
      `${name}, ${(startMs / 1000).toFixed(1)} s, ${reason ?? kind}: ${JSON.stringify(text)}`,
  );
