/** Chance that can be had again: where a result depends on it, the same input gives the same result. */

/** A number from 0 up to, and without, 1. */
export type Random = () => number;

/** The same numbers every time for one seed: mulberry32, 32 bits of state, good for millions of draws. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
