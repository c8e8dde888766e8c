/** How alike two recordings are, wherever the one lies in the other: codecs shift and colour what they carry. */

/** The best correlation (−1…1) of `b` with `a` over shifts of up to `maxShift` samples, and the shift. */
export function correlate(
  a: Float32Array,
  b: Float32Array,
  maxShift = 400,
): { correlation: number; shift: number } {
  let best = { correlation: -1, shift: 0 };
  for (let shift = -maxShift; shift <= maxShift; shift++) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = maxShift; i < a.length - maxShift; i += 11) {
      const [x, y] = [a[i]!, b[i + shift] ?? 0];
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    const correlation = ab / Math.sqrt(aa * bb || 1);
    if (correlation > best.correlation) best = { correlation, shift };
  }
  return best;
}
