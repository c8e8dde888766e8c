/**
 * Reading rows of logits. A row has some 52,000 numbers and every token costs one, so each function passes over
 * it as few times as it can and allocates nothing.
 */

/** A token with the natural logarithm of its probability. */
export interface Choice {
  readonly token: number;
  readonly logProbability: number;
}

/** Logits so far below the largest add less than 1e-4 to the softmax's sum, all 52,000 together. */
const NEGLIGIBLE = 20;

/** e^−x at multiples of 1/STEPS: with a straight line between two of them, right to 2e-6, in a third of the time. */
const STEPS = 256;
const DECAY = Float64Array.from({ length: NEGLIGIBLE * STEPS + 2 }, (_, i) => Math.exp(-i / STEPS));

function largestAt(row: Float32Array, count: number): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const logit = row[i]!;
    if (logit > largest) {
      largest = logit;
      best = i;
    }
  }
  if (best < 0) throw new Error('the decoder returned no numbers');
  return best;
}

/** ln Σ exp over the first `count` logits, of which `largest` is the largest. */
function logSum(row: Float32Array, count: number, largest: number): number {
  const least = largest - NEGLIGIBLE;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const logit = row[i]!;
    if (logit <= least) continue;
    const at = STEPS * (largest - logit);
    const step = at | 0;
    const before = DECAY[step]!;
    sum += before + (at - step) * (DECAY[step + 1]! - before);
  }
  return largest + Math.log(sum);
}

/** The most probable of the first `count` tokens. Suppress a token by setting its logit to −∞ before. */
export function mostProbable(row: Float32Array, count: number): Choice {
  const token = largestAt(row, count);
  const logit = row[token]!;
  return { token, logProbability: logit - logSum(row, count, logit) };
}

/** The probability of one token among all, 0–1. */
export function probabilityOf(row: Float32Array, token: number): number {
  const largest = row[largestAt(row, row.length)]!;
  return Math.exp(row[token]! - logSum(row, row.length, largest));
}

/** The most probable of a few tokens, and its probability among them. */
export function mostProbableOf(
  row: Float32Array,
  tokens: readonly number[],
): { token: number; probability: number } {
  const few = Float32Array.from(tokens, (token) => row[token]!);
  const { token: which, logProbability } = mostProbable(few, few.length);
  return { token: tokens[which]!, probability: Math.exp(logProbability) };
}
