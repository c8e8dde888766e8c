/** What `npm run bench:long` found out, as Markdown. */
import type { Machine } from '../machine.ts';
import { megabytes, ms, NOTHING, perCent, table, tenths, times } from '../report/format.ts';
import { atMost, type Goal, judged } from '../report/goal.ts';
import { headingOf } from '../report/heading.ts';
import type { LongErrors } from './errors.ts';
import type { Memory } from './memory.ts';
import type { SentLive, SentRecording } from './send.ts';

export interface LongRun {
  readonly name: string;
  readonly sent: SentRecording | SentLive;
  readonly memory: Memory;
  /** Cores that neither the gateway nor the bench kept busy, on average. */
  readonly otherCores: number;
}

export function reportOf(machine: Machine, command: string, runs: readonly LongRun[]): string {
  return [headingOf(machine, command), memoryTable(runs), errorTable(runs), livePart(runs)].join('\n\n');
}

/** How much more the last quarter of a run may hold than the second, as a share of it. */
const FLAT = 0.05;

export const goalsOf = (runs: readonly LongRun[]): Goal[] =>
  runs
    .flatMap(({ name, sent, memory: { lateMb, earlyMb } }) => {
      const { missing, added } = sent.errors;
      const what = `${name}, ${times(sent.audioSeconds / 60)} min`;
      return [
        atMost(`${what}: memory of the last quarter above the second`, lateMb / earlyMb - 1, FLAT, perCent),
        atMost(`${what}: words lost or doubled at a cut`, missing + added, 0, times),
        ...(sent.kind === 'live'
          ? [atMost(`${what}: finals that took back what was settled`, sent.brokenPromises, 0, times)]
          : []),
      ];
    })
    .map(judged);

const memoryTable = (runs: readonly LongRun[]): string =>
  table(
    [
      '',
      'audio',
      'took',
      'audio seconds a second',
      'memory at start',
      'second quarter',
      'last quarter',
      'most',
      'progress events',
      'others, cores',
    ],
    runs.map(({ name, sent, memory, otherCores }) => [
      name,
      `${tenths(sent.audioSeconds / 60)} min`,
      sent.kind === 'recording' ? `${times(sent.seconds)} s` : 'as spoken',
      sent.kind === 'recording' ? tenths(sent.audioSeconds / sent.seconds) : NOTHING,
      megabytes(memory.startMb),
      megabytes(memory.earlyMb),
      megabytes(memory.lateMb),
      megabytes(memory.maxMb),
      sent.kind === 'recording' ? times(sent.progressEvents) : NOTHING,
      otherCores.toFixed(2),
    ]),
  );

const errorTable = (runs: readonly LongRun[]): string =>
  table(
    [
      '',
      'words',
      'word errors',
      'withheld',
      'cuts in speech',
      'missing there',
      'too many there',
      'misheard there',
    ],
    runs.map(({ name, sent: { errors, suppressed } }) => [
      name,
      times(errors.words),
      perCent(errors.wrong / errors.words),
      times(suppressed),
      ...atCuts(errors),
    ]),
  );

const atCuts = ({ cuts, missing, added, changed }: LongErrors): string[] =>
  [cuts, missing, added, changed].map((count) => times(count));

const livePart = (runs: readonly LongRun[]): string =>
  runs
    .flatMap(({ sent }) => (sent.kind === 'live' ? [sent] : []))
    .map(
      ({ finalP95Ms, partialAgeP95Ms, brokenPromises }) =>
        `Live, finals came ${ms(finalP95Ms)} after the end of their utterance (p95), partials ${ms(partialAgeP95Ms)} after ` +
        `the audio they speak of (p95); finals that took back what was called settled: ${brokenPromises}.`,
    )
    .join('\n');
