/** How well a long stretch was heard, and how well where it was cut. */
import type { DurableEvent } from '../../src/domain/event.ts';
import { differences, near } from '../../test/support/alignment.ts';
import { wordsOf } from '../measure/words.ts';

export type Final = Extract<DurableEvent, { type: 'transcript.final' }>;

export interface LongErrors {
  readonly words: number;
  readonly wrong: number;
  /** Cuts in the middle of speech: an utterance begins just where the one before ends. */
  readonly cuts: number;
  /** Words changed, too many and missing no more than {@link REACH} words away from such a cut. */
  readonly changed: number;
  readonly added: number;
  readonly missing: number;
}

const REACH = 2;

/** @param finals In the order they were spoken. */
export function longErrors(finals: readonly Final[], said: string): LongErrors {
  const heard: string[] = [];
  const cuts = finals.flatMap(({ text, endMs }, at) => {
    const count = heard.push(...wordsOf(text));
    return finals[at + 1]?.startMs === endMs ? [count] : [];
  });
  const reference = wordsOf(said);
  const found = differences(heard, reference);
  const atCuts = new Set(cuts.flatMap((cut) => near(found, cut, REACH)));
  const count = (kind: string) => [...atCuts].filter((difference) => difference.kind === kind).length;
  return {
    words: reference.length,
    wrong: found.length,
    cuts: cuts.length,
    changed: count('changed'),
    added: count('added'),
    missing: count('missing'),
  };
}
