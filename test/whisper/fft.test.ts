import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PowerSpectrum } from '../../src/whisper/fft.ts';

/** The definition, term by term. */
function directly(frame: readonly number[]): number[] {
  return Array.from({ length: frame.length / 2 + 1 }, (_, k) => {
    let re = 0;
    let im = 0;
    for (const [n, value] of frame.entries()) {
      re += value * Math.cos((2 * Math.PI * k * n) / frame.length);
      im -= value * Math.sin((2 * Math.PI * k * n) / frame.length);
    }
    return re * re + im * im;
  });
}

describe('a power spectrum', () => {
  it.each([4, 8, 20, 40, 80, 400, 1000])('of %i samples is that of the definition', (length) => {
    const spectrum = new PowerSpectrum(length);
    const power = new Float64Array(length / 2 + 1);
    const sample = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(sample, { minLength: length, maxLength: length }), (frame) => {
        spectrum.frame.set(frame);
        spectrum.compute(power);
        for (const [k, expected] of directly(frame).entries()) expect(power[k]).toBeCloseTo(expected, 6);
      }),
      { numRuns: 10 },
    );
  });

  it.each([0.5, 1, 7, 14, 26])('of %d samples is refused', (length) => {
    expect(() => new PowerSpectrum(length)).toThrow(RangeError);
  });
});
