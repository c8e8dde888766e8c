/**
 * The weighted tail: a window shorter than the 30 s that Whisper was trained on, without the loops that a cut
 * window causes. Positions of speech stay as they are; after them, one position stands for each run of
 * `stride` silent ones. It takes the position embedding from the middle of its run, and the logarithm of the
 * run's length is added to its attention score, so that the softmax weighs it as the whole run.
 */
export interface TailLayout {
  /** Position embedding of each position, ascending. Length: T. */
  readonly positions: BigInt64Array;
  /** ln(run length) of each position; 0 for a position that stands for itself. Length: T. */
  readonly keyBias: Float32Array;
}

/**
 * Lays out a window.
 *
 * @param speechPositions Positions of 20 ms to keep one by one: the speech and some silence after it. 0–`total`.
 * @param stride Length of the runs in the tail, ≥ 1. With 1 every position is its own: the full context.
 * @param total Positions of the trained window.
 * @throws RangeError where a number is not whole or out of range.
 */
export function layout(speechPositions: number, stride: number, total = 1500): TailLayout {
  if (!Number.isInteger(speechPositions) || speechPositions < 0 || speechPositions > total)
    throw new RangeError(`speechPositions must be 0–${total}, not ${speechPositions}`);
  if (!Number.isInteger(stride) || stride < 1)
    throw new RangeError(`stride must be 1 or more, not ${stride}`);
  const length = speechPositions + Math.ceil((total - speechPositions) / stride);
  const positions = new BigInt64Array(length);
  const keyBias = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const start = i < speechPositions ? i : speechPositions + (i - speechPositions) * stride;
    const run = i < speechPositions ? 1 : Math.min(stride, total - start);
    positions[i] = BigInt(start + ((run - 1) >> 1));
    keyBias[i] = Math.log(run);
  }
  return { positions, keyBias };
}
