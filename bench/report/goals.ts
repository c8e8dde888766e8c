/** The goals of `npm run bench`. */
import type { EngineMeasures } from '../engines/measure.ts';
import { pooled, rateOf } from '../measure/words.ts';
import type { Results } from '../results.ts';
import { hundredths, ms, perCent, ratio, times } from './format.ts';
import { atLeast, atMost, type Goal, judged, type Wanted } from './goal.ts';

/** The endpointing of a session of which nothing was asked: silence that ends an utterance. */
export const ENDPOINTING_MS = 500;

const WANTED_SPEAKERS = 16;
/** Delays up to which a number of speakers counts as served. */
const SERVED = { finalP95Ms: 1_000, partialAgeP95Ms: 1_500 };

/** The goals, in the order of the report. */
export function goalsOf(results: Results): Goal[] {
  return [...live(results), ...cost(results), ...beside(results)].map(judged);
}

function live({ single, levels, recording }: Results): Wanted[] {
  const { firstPartialMs, finalMs, partialsPerFinal, wordErrorRate, editsPerFinalWord } = single;
  const heard = [single, ...levels.filter(({ speakers }) => speakers <= WANTED_SPEAKERS)].map(
    ({ wordErrors }) => wordErrors,
  );
  return [
    atLeast('partials before a final, the fewest', partialsPerFinal?.min, 2, times),
    atMost('first partial after speech begins, p50', firstPartialMs?.p50, 500, ms),
    atMost('first partial after speech begins, p95', firstPartialMs?.p95, 800, ms),
    atMost(`final after speech ends, p50, ${ENDPOINTING_MS} ms of it endpointing`, finalMs?.p50, 560, ms),
    atMost('final after speech ends, p95', finalMs?.p95, 650, ms),
    atMost('words changed on the screen for each word of the finals', editsPerFinalWord, 0.3, hundredths),
    atMost('word error rate of the finals', wordErrorRate, 0.08, perCent),
    atMost(
      `… of all finals up to ${WANTED_SPEAKERS} speakers, above that of the recording`,
      rateOf(pooled(heard)) - recording.wordErrorRate,
      0.01,
      perCent,
    ),
    atMost('finals where nobody spoke', single.invented, 0, times),
  ];
}

function cost({ single, levels }: Results): Wanted[] {
  const served = levels.filter(
    ({ finalMs, partialAgeMs }) =>
      (finalMs?.p95 ?? Number.POSITIVE_INFINITY) <= SERVED.finalP95Ms &&
      (partialAgeMs?.p95 ?? Number.POSITIVE_INFINITY) <= SERVED.partialAgeP95Ms,
  );
  const what = `speakers at once with finals within ${ms(SERVED.finalP95Ms)}, partials of ${ms(SERVED.partialAgeP95Ms)} (p95)`;
  return [
    atLeast(what, Math.max(0, ...served.map(({ speakers }) => speakers)), WANTED_SPEAKERS, times),
    atMost(
      'CPU-seconds for a second of audio, one speaker, a session of 30 s',
      levels.find(({ speakers }) => speakers === 1)?.cpuPerAudioSecond,
      0.12,
      hundredths,
    ),
    atMost(
      '… in sessions of 7 s, their opening and storing included',
      single.cpuPerAudioSecond,
      0.12,
      hundredths,
    ),
    atMost(
      'event loop late, p99, at any number of speakers',
      most(levels.map((run) => run.loopDelayP99Ms)),
      20,
      ms,
    ),
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
