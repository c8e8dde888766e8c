/** What the project means to reach, beside what was measured. */
import type { EngineMeasures } from '../engines/measure.ts';
import type { Results } from '../results.ts';
import { hundredths, megabytes, ms, perCent, ratio, times } from './format.ts';

export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  /** Null where it was not measured. */
  readonly reached: boolean | null;
}

/** The endpointing of a session of which nothing was asked: silence that ends an utterance. */
export const ENDPOINTING_MS = 500;

/** A number and the side of it that is wanted. */
interface Wanted {
  readonly what: string;
  readonly side: '≤' | '≥';
  readonly limit: number;
  readonly measured: number | null | undefined;
  readonly show: (value: number) => string;
}

const atMost = (what: string, measured: Wanted['measured'], limit: number, show: Wanted['show']): Wanted => ({
  what,
  side: '≤',
  limit,
  measured,
  show,
});
const atLeast = (
  what: string,
  measured: Wanted['measured'],
  limit: number,
  show: Wanted['show'],
): Wanted => ({ what, side: '≥', limit, measured, show });

/** Delays up to which a number of speakers counts as served. */
const SERVED = { finalP95Ms: 1_000, partialAgeP95Ms: 1_500 };

/** The goals, in the order of the report. */
export function goalsOf(results: Results): Goal[] {
  return [...live(results), ...cost(results), ...beside(results)].map(judged);
}

/** Holds what was measured against its goal. */
export function judged({ what, side, limit, measured, show }: Wanted): Goal {
  const goal = `${side} ${show(limit)}`;
  if (measured === null || measured === undefined) return { what, goal, measured: 'none', reached: null };
  return {
    what,
    goal,
    measured: show(measured),
    reached: side === '≤' ? measured <= limit : measured >= limit,
  };
}

function live({ single, recording }: Results): Wanted[] {
  const { firstPartialMs, finalMs, partialsPerFinal, wordErrorRate, editsPerFinalWord } = single;
  return [
    atLeast('partials before a final, the fewest', partialsPerFinal?.min, 2, times),
    atMost('first partial after speech begins, p50', firstPartialMs?.p50, 500, ms),
    atMost('first partial after speech begins, p95', firstPartialMs?.p95, 800, ms),
    atMost(`final after speech ends, p50, ${ENDPOINTING_MS} ms of it endpointing`, finalMs?.p50, 560, ms),
    atMost('final after speech ends, p95', finalMs?.p95, 650, ms),
    atMost('words changed on the screen for each word of the finals', editsPerFinalWord, 0.3, hundredths),
    atMost('word error rate of the finals', wordErrorRate, 0.08, perCent),
    atMost('… above that of the recording', wordErrorRate - recording.wordErrorRate, 0.01, perCent),
    atMost('finals where nobody spoke', single.invented, 0, times),
  ];
}

function cost({ single, levels, peakRssMb }: Results): Wanted[] {
  const served = levels.filter(
    ({ finalMs, partialAgeMs }) =>
      (finalMs?.p95 ?? Number.POSITIVE_INFINITY) <= SERVED.finalP95Ms &&
      (partialAgeMs?.p95 ?? Number.POSITIVE_INFINITY) <= SERVED.partialAgeP95Ms,
  );
  const what = `speakers at once with finals within ${ms(SERVED.finalP95Ms)}, partials of ${ms(SERVED.partialAgeP95Ms)} (p95)`;
  return [
    atLeast(what, Math.max(0, ...served.map(({ speakers }) => speakers)), 16, times),
    atMost('CPU-seconds for a second of audio, one speaker', single.cpuPerAudioSecond, 0.12, hundredths),
    atMost(
      'event loop late, p99, at any number of speakers',
      most(levels.map((run) => run.loopDelayP99Ms)),
      20,
      ms,
    ),
    atMost('memory, the most in the whole run', peakRssMb, 1_200, megabytes),
  ];
}

/** Against other engines in the same run: those that were asked for. */
function beside({ engines }: Results): Wanted[] {
  const [ours, ...others] = engines;
  if (!ours) return [];
  const against = (name: RegExp, goal: (peer: EngineMeasures) => Wanted[]) => {
    const peer = others.find(({ engine }) => name.test(engine));
    return peer ? goal(peer) : [];
  };
  return [
    ...against(/^transformers\.js q8/, (stock) => [
      atLeast(
        'partials of a growing utterance, against the stock pipeline',
        ours.partialsPerSecond / stock.partialsPerSecond,
        20,
        ratio,
      ),
      atLeast('recordings, against the stock pipeline', ours.audioPerSecond / stock.audioPerSecond, 5, ratio),
    ]),
    ...against(/^transformers\.js fp32/, (full) => [
      atMost(
        'word error rate above that of fp32 with full context',
        ours.wordErrorRate - full.wordErrorRate,
        0.01,
        perCent,
      ),
    ]),
    ...against(/^faster-whisper/, (faster) => [
      atLeast(
        'recordings, against faster-whisper int8',
        ours.audioPerSecond / faster.audioPerSecond,
        4,
        ratio,
      ),
    ]),
  ];
}

const most = (values: readonly number[]): number | null => (values.length > 0 ? Math.max(...values) : null);
