import type { Clock } from '../flow/clock.ts';

const QUIET_MS = 60_000;

/** Passes on one error a minute: an outage says the same with every try. */
export function seldom(onError: (error: unknown) => void, clock: Clock): (error: unknown) => void {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    const nowMs = clock.monotonicMs();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + QUIET_MS;
    onError(error);
  };
}
