import { describe, expect, it } from 'vitest';
import { seeded } from '../../src/flow/chance.ts';
import { drawn } from '../../src/whisper/sampling.ts';

const NEVER = Number.NEGATIVE_INFINITY;
/** Probabilities of 0.6, 0.3 and 0.1, and a token that is ruled out; the last lies beyond what may be drawn. */
const row = () => Float32Array.of(Math.log(6), Math.log(3), Math.log(1), NEVER, Math.log(90));
const COUNT = 4;

describe('a token drawn by chance', () => {
  // At temperature 1 the shares end at 0.6, 0.9 and 1; at 0.5 the weights are 36, 9 and 1.
  it.each([
    [1, 0, 0],
    [1, 0.59, 0],
    [1, 0.61, 1],
    [1, 0.89, 1],
    [1, 0.91, 2],
    [1, 0.999_999, 2],
    [0.5, 35.9 / 46, 0],
    [0.5, 36.1 / 46, 1],
    [0.5, 44.9 / 46, 1],
    [0.5, 45.1 / 46, 2],
    [0.01, 0.999_999, 0],
  ])('at temperature %f and chance %f is %i', (temperature, chance, expected) => {
    expect(drawn(row(), COUNT, temperature, () => chance).token).toBe(expected);
  });

  it('has the probability that the model gives it, whatever the temperature', () => {
    for (const temperature of [0.2, 1, 4]) {
      const { token, logProbability } = drawn(row(), COUNT, temperature, () => 0.999_999);
      expect(Math.exp(logProbability)).toBeCloseTo([0.6, 0.3, 0.1][token]!, 6);
    }
  });

  it('comes as often as it should, and the same with the same seed', () => {
    const draw = () => {
      const random = seeded(7);
      return Array.from({ length: 5000 }, () => drawn(row(), COUNT, 1, random).token);
    };
    const tokens = draw();
    const share = (token: number) => tokens.filter((other) => other === token).length / tokens.length;
    expect([share(0), share(1), share(2), share(3)].map((value) => value.toFixed(1))).toEqual([
      '0.6',
      '0.3',
      '0.1',
      '0.0',
    ]);
    expect(draw()).toEqual(tokens);
  });
});
