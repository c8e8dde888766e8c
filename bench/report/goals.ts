/** What the project means to reach, beside what was measured. */
import type { Results } from '../results.ts';
import { ms, perCent, times } from './format.ts';

export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  /** Null where it was not measured. */
  readonly reached: boolean | null;
}

/** The endpointing of a session of which nothing was asked: silence that ends an utterance. */
export const ENDPOINTING_MS = 500;

const LEAST_PARTIALS = 2;
const MOST_FIRST_PARTIAL_MS = 1200;
const MOST_FINAL_MS = 1200;
const MOST_WORD_ERRORS = 0.08;

/** The goals, in the order of the report. */
export function goalsOf({ single }: Results): Goal[] {
  const { firstPartialMs, finalMs, partialsPerFinal, wordErrorRate } = single;
  const goal = <T>(
    what: string,
    limit: string,
    value: T | undefined,
    show: (value: T) => string,
    reached: (value: T) => boolean,
  ): Goal =>
    value === undefined
      ? { what, goal: limit, measured: 'none', reached: null }
      : { what, goal: limit, measured: show(value), reached: reached(value) };
  return [
    goal(
      'partials before a final, the fewest',
      `≥ ${LEAST_PARTIALS}`,
      partialsPerFinal?.min,
      times,
      (value) => value >= LEAST_PARTIALS,
    ),
    goal(
      'first partial after speech begins, p50',
      `≤ ${ms(MOST_FIRST_PARTIAL_MS)}`,
      firstPartialMs?.p50,
      ms,
      (value) => value <= MOST_FIRST_PARTIAL_MS,
    ),
    goal(
      `final after speech ends, p95, with ${ms(ENDPOINTING_MS)} of endpointing`,
      `≤ ${ms(MOST_FINAL_MS)}`,
      finalMs?.p95,
      ms,
      (value) => value <= MOST_FINAL_MS,
    ),
    goal(
      'word error rate of the finals',
      `≤ ${perCent(MOST_WORD_ERRORS)}`,
      wordErrorRate,
      perCent,
      (value) => value <= MOST_WORD_ERRORS,
    ),
  ];
}
