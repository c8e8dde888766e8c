/**
 * A second try where a guard fires. Greedy decoding can be caught in a loop, or led astray by one unlucky token, in
 * speech that is perfectly clear; the same sound decoded with some chance often is not (Radford et al., 2022,
 * § 4.5). It is only ever tried on what would be withheld, so it costs nothing where nothing is. Our graphs hardly
 * loop on clear speech: in some thousand utterances, clean and noisy, it has brought back nothing yet.
 */
import type { SuppressionReason } from '../domain/event.ts';
import { THRESHOLDS } from './guards.ts';
import type { Urgency } from './recognition.ts';

/**
 * The temperatures that are tried, in order. A reader waits for a final, so it gets one more try; a partial is
 * outdated before another try would be done.
 */
const TEMPERATURES: Readonly<Record<Urgency, readonly number[]>> = {
  partial: [],
  final: [0.4],
  recording: [0.2, 0.6, 1],
};

/**
 * Where another try may find what was said: where the text went wrong, not where the sound did. What was hardly
 * heard is heard no better by chance: of 13 short telephone prompts under noise that another try carried over the
 * threshold, 11 had become other words than were said (`npm run bench:withheld`).
 */
const WORTH_ANOTHER: Readonly<Record<SuppressionReason, boolean>> = {
  no_speech: false,
  language_flip: false,
  too_many_tokens: true,
  repetition: true,
  compression_ratio: true,
  low_confidence: false,
};

/** What a try is judged by. */
interface Judged {
  readonly suppressed: SuppressionReason | null;
  readonly meanLogProbability: number;
}

/**
 * The first of several tries that no guard withholds and that is sure of itself; where there is none, the greedy one.
 * @param again Decodes the same sound at a temperature.
 */
export async function firstToPass<T extends { readonly heard: Judged }>(
  greedy: T,
  urgency: Urgency,
  again: (temperature: number) => Promise<T>,
): Promise<T> {
  const reason = greedy.heard.suppressed;
  if (reason === null || !WORTH_ANOTHER[reason]) return greedy;
  for (const temperature of TEMPERATURES[urgency]) {
    const other = await again(temperature);
    const { suppressed, meanLogProbability } = other.heard;
    if (suppressed === null && meanLogProbability > THRESHOLDS.secondTryMeanLogProbability) return other;
  }
  return greedy;
}
