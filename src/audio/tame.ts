/** Below this a sample is silence by any measure, and as a denormal number it would slow inference twentyfold. */
const INAUDIBLE = 1e-8;

/**
 * Makes every sample a plain number in −1…1, in place: what is not finite or not audible becomes 0, what is too
 * loud is clipped. Returns its argument.
 */
export function tame(samples: Float32Array): Float32Array {
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i]!;
    const magnitude = Math.abs(x);
    if (magnitude >= INAUDIBLE && magnitude <= 1) continue;
    samples[i] = magnitude > 1 && Number.isFinite(x) ? Math.sign(x) : 0;
  }
  return samples;
}
