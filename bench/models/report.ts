/** The measured sizes as a Markdown table, with what it says and what it does not. */
import type { Machine } from '../machine.ts';
import { hundredths, megabytes, ms, NOTHING, table, tenths, times } from '../report/format.ts';
import type { Capacity } from './capacity.ts';
import { type Costs, DRAFT_TOKENS, LONG_SECONDS, SHORT_SECONDS } from './costs.ts';
import type { ModelSize } from './sizes.ts';

export interface MeasuredSize {
  readonly size: ModelSize;
  readonly parameters: number;
  readonly costs: Costs;
  readonly capacity: Capacity;
  /** What other processes took of the machine meanwhile. */
  readonly othersCores: number;
}

const HEAD = [
  'size',
  'parameters',
  'memory a core',
  `encoder, ${SHORT_SECONDS} s / ${LONG_SECONDS} s`,
  `${DRAFT_TOKENS} tokens checked`,
  'one token',
  `partials a second, ${SHORT_SECONDS} s`,
  'final',
  'live',
  'speakers, partials every 0.5 s / 1 s',
  'recordings',
  'others, cores',
];

/** @param leftOut Sizes that were not measured, and why. */
export function reportOf(
  machine: Machine,
  measured: readonly MeasuredSize[],
  leftOut: readonly string[],
): string {
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; ${machine.date}, commit ${machine.commit ?? NOTHING}`,
    '',
    table(HEAD, measured.map(rowOf)),
    ...leftOut.map((line) => `\n${line}`),
    '',
    'How fast, not how well: all sizes but base ran on random weights, so nothing here says how many words a size',
    'gets right. Speakers talk all the time in utterances of 5 s; whoever pauses costs less. Times are of one',
    'core while all of them do the same, the fastest of some passes. Other processes slow them down only as far',
    'as they share caches and memory.',
  ].join('\n');
}

function rowOf({ size, parameters, costs, capacity, othersCores }: MeasuredSize): string[] {
  const { speakers, isLive } = capacity;
  return [
    size.name,
    `${times(parameters / 1e6)} M`,
    megabytes(costs.workerBytes / 1e6),
    `${ms(costs.encodeShortMs)} / ${ms(costs.encodeLongMs)}`,
    ms(costs.draftMs),
    `${tenths(costs.tokenMs)} ms`,
    tenths(capacity.partialsPerSecond),
    ms(capacity.finalMs),
    isLive ? 'yes' : 'no',
    isLive ? `${speakers.usual} / ${speakers.slowest}` : NOTHING,
    `${tenths(capacity.audioSecondsPerSecond)} × real time`,
    hundredths(othersCores),
  ];
}
