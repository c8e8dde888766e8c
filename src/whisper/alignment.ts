/**
 * When each token was said: dynamic time warping over the decoder's attention, after Whisper's own word timing
 * (Radford et al. 2022 and its reference code). Some heads of the decoder look at the sound of the token that they
 * are about to choose; the cheapest path through what they look at, ever forward in both text and time, says
 * where each token begins. One flat array for each step: this runs on every final that asks for words.
 */

/** Where the alignment heads looked, as the decoder gives it. */
export interface Attention {
  /** [heads, rows, positions]; a row belongs to a token fed, and looks for the one after it. */
  readonly weights: Float32Array;
  readonly heads: number;
  readonly rows: number;
  readonly positions: number;
}

/** Which of the positions `from` … `from + count` the heads together heeded most for a row; counted from `from`. */
export function mostHeeded(
  { weights, heads, rows, positions }: Attention,
  row: number,
  from: number,
  count: number,
): number {
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    let heed = 0;
    for (let head = 0; head < heads; head++) heed += weights[(head * rows + row) * positions + from + at]!;
    if (heed > most) {
      most = heed;
      best = at;
    }
  }
  return best;
}

/** Positions over which attention is smoothed; odd. */
const SMOOTHED_POSITIONS = 7;

/** Share of its highest attention at which a token begins: of 0.4 to 1, this was nearest to the truth. */
const RISEN = 0.9;

/**
 * Aligns the rows from `firstRow` on.
 *
 * @param realPositions The first so many positions are sound; those after it are left out, since the few that
 * stand for the silent rest of the window draw attention from everywhere. 0–`positions`.
 * @returns For each row the position where what it looks for begins; ascending, the first 0.
 */
export function align(attention: Attention, firstRow: number, realPositions: number): Uint32Array {
  const rows = attention.rows - firstRow;
  if (realPositions === 0) return new Uint32Array(rows);
  const relevances = relevance(attention, firstRow, realPositions);
  const starts = pathStarts(relevances, rows, realPositions);
  for (let row = 0; row < rows - 1; row++) {
    const at = row * realPositions;
    starts[row] = riseWithin(relevances.subarray(at, at + realPositions), starts[row]!, starts[row + 1]!);
  }
  return starts;
}

/**
 * A head's attention is highest where a token begins, so the path leaves each token before it has ended: the next
 * one begins where its own attention has risen.
 */
function riseWithin(row: Float32Array, from: number, to: number): number {
  let highest = 0;
  for (let at = from; at < to; at++) highest = Math.max(highest, row[at]!);
  for (let at = from; at < to; at++) if (row[at]! >= RISEN * highest) return at;
  return from;
}

/**
 * How much each position matters to each row, more than to the other rows: attention in units of its deviation
 * over the rows, smoothed in time, averaged over the heads. [rows, realPositions]
 */
function relevance(attention: Attention, firstRow: number, count: number): Float32Array {
  const { weights, heads, rows, positions } = attention;
  const result = new Float32Array((rows - firstRow) * count);
  const shares = new Float32Array(rows * count);
  const sums = new Float32Array(count);
  const squares = new Float32Array(count);
  for (let head = 0; head < heads; head++) {
    sums.fill(0);
    squares.fill(0);
    for (let row = 0; row < rows; row++) {
      const from = (head * rows + row) * positions;
      let total = 0;
      for (let at = 0; at < count; at++) total += weights[from + at]!;
      const scale = total > 0 ? 1 / total : 0;
      for (let at = 0; at < count; at++) {
        const share = weights[from + at]! * scale;
        shares[row * count + at] = share;
        sums[at]! += share;
        squares[at]! += share * share;
      }
    }
    // From here on: the mean, and one over the deviation.
    for (let at = 0; at < count; at++) {
      const mean = sums[at]! / rows;
      const variance = squares[at]! / rows - mean * mean;
      sums[at] = mean;
      squares[at] = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    }
    for (let row = firstRow; row < rows; row++) {
      const values = shares.subarray(row * count, (row + 1) * count);
      for (let at = 0; at < count; at++) values[at] = (values[at]! - sums[at]!) * squares[at]!;
      addMedians(values, result.subarray((row - firstRow) * count, (row - firstRow + 1) * count));
    }
  }
  return result;
}

/** Adds the running median of `values` to `sums`; the ends are mirrored. The window is kept sorted as it moves. */
function addMedians(values: Float32Array, sums: Float32Array): void {
  const count = values.length;
  const reach = SMOOTHED_POSITIONS >> 1;
  if (count <= reach) {
    for (let at = 0; at < count; at++) sums[at]! += values[at]!;
    return;
  }
  const mirrored = new Float32Array(count + 2 * reach);
  mirrored.set(values, reach);
  for (let i = 1; i <= reach; i++) {
    mirrored[reach - i] = values[i]!;
    mirrored[reach + count - 1 + i] = values[count - 1 - i]!;
  }
  const sorted = mirrored.slice(0, SMOOTHED_POSITIONS).sort();
  sums[0]! += sorted[reach]!;
  for (let at = 1; at < count; at++) {
    const leaving = mirrored[at - 1]!;
    const coming = mirrored[at + 2 * reach]!;
    let place = 0;
    while (place < 2 * reach && sorted[place] !== leaving) place++;
    for (; place > 0 && sorted[place - 1]! > coming; place--) sorted[place] = sorted[place - 1]!;
    for (; place < 2 * reach && sorted[place + 1]! < coming; place++) sorted[place] = sorted[place + 1]!;
    sorted[place] = coming;
    sums[at]! += sorted[reach]!;
  }
}

/** How a path came to a cell: from the row and position before, the row before, or the position before. */
const BOTH = 0;
const ROW = 1;
const POSITION = 2;

/** Where the path of the most relevance, from the first cell to the last, enters each row. */
function pathStarts(relevance: Float32Array, rows: number, count: number): Uint32Array {
  const steps = new Uint8Array(rows * count);
  let above = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
  let best = new Float32Array(count);
  for (let row = 0; row < rows; row++) {
    let left = Number.NEGATIVE_INFINITY;
    let corner = row === 0 ? 0 : Number.NEGATIVE_INFINITY;
    for (let at = 0; at < count; at++) {
      const up = above[at]!;
      let step = BOTH;
      let before = corner;
      if (up > before) {
        step = ROW;
        before = up;
      }
      if (left > before) {
        step = POSITION;
        before = left;
      }
      steps[row * count + at] = step;
      left = before + relevance[row * count + at]!;
      best[at] = left;
      corner = up;
    }
    [above, best] = [best, above];
  }

  const starts = new Uint32Array(rows);
  let at = count - 1;
  for (let row = rows - 1; row > 0; row--) {
    while (steps[row * count + at] === POSITION) at--;
    starts[row] = at;
    if (steps[row * count + at] === BOTH) at--;
  }
  return starts;
}
