import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layout } from '../../src/whisper/graph/weighted-tail.ts';

const cases = fc.record({
  total: fc.integer({ min: 1, max: 1500 }),
  stride: fc.integer({ min: 1, max: 200 }),
});
const withSpeech = cases.chain((given) =>
  fc.integer({ min: 0, max: given.total }).map((speech) => ({ ...given, speech })),
);
const weights = (keyBias: Float32Array) => Array.from(keyBias, (bias) => Math.exp(bias));

describe('the weighted tail', () => {
  it('keeps speech and lets one position stand for each run of silence', () => {
    const { positions, keyBias } = layout(3, 4, 12);
    expect([...positions]).toEqual([0n, 1n, 2n, 4n, 8n, 11n]);
    expect(weights(keyBias).map(Math.round)).toEqual([1, 1, 1, 4, 4, 1]);
  });

  it('is the full context with a stride of one', () => {
    const { positions, keyBias } = layout(200, 1);
    expect([...positions]).toEqual(Array.from({ length: 1500 }, (_, i) => BigInt(i)));
    expect(keyBias.every((bias) => bias === 0)).toBe(true);
  });

  it('weighs as much as the whole window', () => {
    fc.assert(
      fc.property(withSpeech, ({ speech, stride, total }) => {
        const { keyBias } = layout(speech, stride, total);
        const sum = weights(keyBias).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(total, 1);
      }),
    );
  });

  it('leaves speech alone and takes each tail position from within its run', () => {
    fc.assert(
      fc.property(withSpeech, ({ speech, stride, total }) => {
        const { positions, keyBias } = layout(speech, stride, total);
        expect(positions.length).toBe(keyBias.length);
        let start = 0;
        const strays: number[] = [];
        for (const [i, run] of weights(keyBias).map(Math.round).entries()) {
          const position = Number(positions[i]);
          const inPlace = position >= start && position < start + run;
          if (!inPlace || run > (i < speech ? 1 : stride)) strays.push(i);
          start += run;
        }
        expect(strays).toEqual([]);
        expect(start).toBe(total);
      }),
    );
  });

  it.each([
    [-1, 1],
    [1501, 1],
    [1.5, 1],
    [0, 0],
    [0, 2.5],
    [Number.NaN, 1],
  ])('refuses %d positions with a stride of %d', (speech, stride) => {
    expect(() => layout(speech, stride)).toThrow(RangeError);
  });
});
