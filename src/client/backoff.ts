const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/**
 * How long to wait before trying again: doubling, with half of each delay left to chance, so that a gateway
 * coming back is not met by all its clients in the same instant, and none of them returns without a pause.
 *
 * @param attempt How many attempts have failed since the last success; from 0.
 * @param random A number in [0, 1).
 * @param atLeastMs What the server asked for, where it did (`Retry-After`, `retryAfterMs`).
 */
export function backoffMs(attempt: number, random: number, atLeastMs = 0): number {
  const ceilingMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 16));
  return atLeastMs + (ceilingMs / 2) * (1 + random);
}
