import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attention, align } from '../../src/whisper/alignment.ts';
import { seeded } from '../support/audio.ts';

/** Heads that look at `begins[row]` and a little around it, over a faint noise. */
function looking(begins: readonly number[], positions: number, heads = 4): Attention {
  const random = seeded(1);
  const rows = begins.length;
  const weights = new Float32Array(heads * rows * positions);
  for (let head = 0; head < heads; head++)
    for (const [row, begin] of begins.entries())
      for (let at = 0; at < positions; at++)
        weights[(head * rows + row) * positions + at] =
          0.01 * random() + (at >= begin && at < begin + 6 ? 1 - (at - begin) / 20 : 0);
  return { weights, heads, rows, positions };
}

describe('alignment', () => {
  it('finds where each token begins', () => {
    const begins = [5, 20, 31, 60, 75, 92];
    const found = [...align(looking(begins, 100), 0, 100)];
    for (const [row, begin] of begins.slice(0, -1).entries())
      expect(Math.abs(found[row]! - begin)).toBeLessThanOrEqual(3);
  });

  it('leaves out the rows before the text', () => {
    const begins = [50, 50, 50, 10, 30, 70, 90];
    const found = align(looking(begins, 100), 3, 100);
    expect(found).toHaveLength(4);
    expect(Math.abs(found[1]! - 30)).toBeLessThanOrEqual(3);
  });

  it('does not look beyond the sound, however much attention there is', () => {
    const attention = looking([5, 20, 31, 45], 100);
    for (let row = 0; row < 16; row++) attention.weights.fill(9, row * 100 + 60, row * 100 + 100);
    const found = [...align(attention, 0, 60)];
    for (const [row, begin] of [5, 20, 31].entries())
      expect(Math.abs(found[row]! - begin)).toBeLessThanOrEqual(3);
    expect(found[3]).toBeLessThan(60);
  });

  it('goes forward only and stays within the sound, whatever the heads look at', () => {
    const sizes = fc.record({
      heads: fc.integer({ min: 1, max: 3 }),
      rows: fc.integer({ min: 1, max: 12 }),
      positions: fc.integer({ min: 1, max: 40 }),
      realShare: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.integer(),
      flat: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, ({ heads, rows, positions, realShare, seed, flat }) => {
        const random = seeded(seed);
        const weights = Float32Array.from({ length: heads * rows * positions }, () => (flat ? 0 : random()));
        const real = Math.round(realShare * positions);
        const found = [...align({ weights, heads, rows, positions }, 0, real)];
        expect(found).toHaveLength(rows);
        expect(found).toEqual(found.toSorted((a, b) => a - b));
        for (const position of found) expect(position).toBeLessThan(Math.max(1, real));
      }),
    );
  });
});
