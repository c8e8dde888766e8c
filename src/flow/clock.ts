/** Time as a parameter: production passes {@link systemClock}, tests pass a clock they turn by hand. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch. May jump; for instants shown to people, never for durations. */
  now(): number;
  /** Milliseconds from some fixed point; never goes back. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs`; the returned function cancels it. Does not keep the process alive. */
  after(delayMs: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Resolves when `what` does, after `delayMs`, or when the signal aborts: whichever comes first.
 * @throws what `what` rejects with, where that comes first.
 */
export function waitAtMost(
  clock: Clock,
  delayMs: number,
  what: Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      cancel();
      signal?.removeEventListener('abort', onEnd);
    };
    const onEnd = () => {
      leave();
      resolve();
    };
    const cancel = clock.after(delayMs, onEnd);
    if (signal?.aborted) return onEnd();
    signal?.addEventListener('abort', onEnd, { once: true });
    what.then(onEnd, (error: unknown) => {
      leave();
      reject(error);
    });
  });
}
