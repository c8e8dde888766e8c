import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBfloat, fromHalf, toHalf } from '../../src/whisper/weights/floats.ts';
import { dequantiseRows, quantiseRows } from '../../src/whisper/weights/quantise.ts';

const bitsOf = (value: number): number => toHalf(Float32Array.of(value))[0]!;
const half = (bits: number): number => fromHalf(Uint16Array.of(bits))[0]!;

describe('half precision', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [65_519, 0x7bff],
    [65_520, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [3 * 2 ** -25, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
  ])('writes %d as %i', (value, bits) => {
    expect(bitsOf(value)).toBe(bits);
  });

  it('comes back as it was, every number of it', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const numbers = all.filter((bits) => !Number.isNaN(half(bits)));
    expect(toHalf(fromHalf(numbers))).toEqual(numbers);
    expect(all.length - numbers.length).toBe(2 * 1023);
    expect(half(bitsOf(Number.NaN))).toBeNaN();
  });

  it('is the nearest half', () => {
    fc.assert(
      fc.property(fc.float({ min: -65_504, max: 65_504, noNaN: true }), (value) => {
        const bits = bitsOf(value);
        const neighbours = [bits - 1, bits + 1].filter((each) => each >= 0 && (each & 0x7fff) < 0x7c00);
        const error = Math.abs(half(bits) - value);
        for (const each of neighbours) expect(error).toBeLessThanOrEqual(Math.abs(half(each) - value));
      }),
    );
  });
});

describe('bfloat16', () => {
  it('is the upper half of single precision', () => {
    expect([...fromBfloat(Uint16Array.of(0x3f80, 0xc040, 0x0000, 0xff80))]).toEqual([
      1,
      -3,
      0,
      Number.NEGATIVE_INFINITY,
    ]);
  });
});

describe('quantised rows', () => {
  const matrix = fc
    .record({ rows: fc.integer({ min: 1, max: 8 }), columns: fc.integer({ min: 1, max: 16 }) })
    .chain(({ rows, columns }) =>
      fc
        .float32Array({
          minLength: rows * columns,
          maxLength: rows * columns,
          min: -100,
          max: 100,
          noNaN: true,
        })
        .map((values) => ({ values, columns })),
    );

  it.each([127, 63])('are off by half a step at most, within ±%i', (limit) => {
    fc.assert(
      fc.property(matrix, ({ values, columns }) => {
        const quantised = quantiseRows(values, columns, limit);
        const back = dequantiseRows(quantised, columns);
        for (let i = 0; i < values.length; i++) {
          expect(Math.abs(quantised.values[i]!)).toBeLessThanOrEqual(limit);
          const step = quantised.scales[Math.floor(i / columns)]!;
          expect(Math.abs(back[i]! - values[i]!)).toBeLessThanOrEqual(step * 0.501 + 1e-30);
        }
      }),
    );
  });

  it('give a row of zeros, or next to it, a scale that can be divided by', () => {
    const { scales, values } = quantiseRows(Float32Array.of(0, 0, 1e-43, -1e-44), 2, 127);
    expect([...scales]).toEqual([1, 1]);
    expect([...values]).toEqual([0, 0, 0, 0]);
  });
});
