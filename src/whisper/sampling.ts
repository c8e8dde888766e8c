/** Choosing a token by chance, where the most probable one led nowhere. */
import type { Random } from '../flow/chance.ts';
import { type Choice, mostProbable } from './logits.ts';

/**
 * Draws one of the first `count` tokens from the softmax of their logits over `temperature`. A token at −∞ is never
 * drawn.
 * @param temperature Above 0: the nearer to 0, the nearer to the most probable token; at 1 as the model has it.
 * @returns The token, and the natural logarithm of the probability the model itself gives it: what the guards
 * judge by does not depend on the temperature.
 */
export function drawn(row: Float32Array, count: number, temperature: number, random: Random): Choice {
  const best = mostProbable(row, count);
  const largest = row[best.token]!;
  const weightOf = (token: number): number => Math.exp((row[token]! - largest) / temperature);
  let sum = 0;
  for (let token = 0; token < count; token++) sum += weightOf(token);
  let left = random() * sum;
  for (let token = 0; token < count; token++) {
    left -= weightOf(token);
    if (left < 0) return { token, logProbability: best.logProbability + row[token]! - largest };
  }
  // Rounding alone gets here.
  return best;
}
