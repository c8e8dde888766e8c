/** What `npm run bench:soak` found out, as Markdown. */
import type { LiveRun } from '../live/speakers.ts';
import type { Memory } from '../long/memory.ts';
import type { Machine } from '../machine.ts';
import { hundredths, megabytes, ms, perCent, table, times } from '../report/format.ts';
import { type Goal, judged } from '../report/goals.ts';
import { headingOf } from '../report/heading.ts';
import { goalTable } from '../report/report.ts';

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
  return [headingOf(machine, command), goalTable(goalsOf(soak)), memoryLine(soak), roundTable(soak)].join(
    '\n\n',
  );
}

export function goalsOf({ memory, speakers }: Soak): Goal[] {
  const growth = memory.lateMb / memory.earlyMb - 1;
  return [
    {
      what: 'memory of the last quarter above that of the second',
      measured: growth,
      limit: FLAT,
      show: perCent,
    },
    {
      what: `memory, the most, ${speakers} speakers`,
      measured: memory.maxMb,
      limit: MOST_MB,
      show: megabytes,
    },
  ].map((wanted) => judged({ ...wanted, side: '≤' }));
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
