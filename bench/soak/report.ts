/** What `npm run bench:soak` found out, as Markdown. */
import type { LiveRun } from '../live/speakers.ts';
import type { Memory } from '../long/memory.ts';
import type { Machine } from '../machine.ts';
import { hundredths, megabytes, ms, perCent, table, times } from '../report/format.ts';
import { atMost, type Goal, judged } from '../report/goal.ts';
import { headingOf } from '../report/heading.ts';

export interface Soak {
  readonly speakers: number;
  /** One after the other, on the same gateway. */
  readonly rounds: readonly LiveRun[];
  readonly memory: Memory;
}

/** How much more the last quarter may hold than the second, as a share of it. */
const FLAT = 0.05;
const MOST_MB = 1_200;

export function reportOf(machine: Machine, command: string, soak: Soak): string {
  return [headingOf(machine, command), memoryLine(soak), roundTable(soak)].join('\n\n');
}

export function goalsOf({ memory, speakers }: Soak): Goal[] {
  const growth = memory.lateMb / memory.earlyMb - 1;
  return [
    atMost(`memory of ${speakers} speakers: the last quarter above the second`, growth, FLAT, perCent),
    atMost(`memory of ${speakers} speakers, the most`, memory.maxMb, MOST_MB, megabytes),
  ].map(judged);
}

const memoryLine = ({ memory }: Soak): string =>
  `Memory: ${megabytes(memory.startMb)} at the start, ${megabytes(memory.earlyMb)} in the second quarter, ` +
  `${megabytes(memory.lateMb)} in the last, ${megabytes(memory.maxMb)} at most.`;

const roundTable = ({ rounds }: Soak): string =>
  table(
    [
      'round',
      'finals',
      'final p95',
      'age of a partial, p95',
      'word errors',
      'CPU-s an audio second',
      'others, cores',
    ],
    rounds.map((run, at) => [
      times(at + 1),
      times(run.finalMs?.count ?? 0),
      ms(run.finalMs?.p95 ?? Number.NaN),
      ms(run.partialAgeMs?.p95 ?? Number.NaN),
      perCent(run.wordErrorRate),
      hundredths(run.cpuPerAudioSecond),
      hundredths(run.otherCores),
    ]),
  );
