/** Time and chance as parameters, in the form that browsers and Node share. */
import { EarshotError } from './error.ts';

/** What passes, and what is left to chance. */
export interface Timing {
  /** Milliseconds from some fixed point; never goes back. */
  now(): number;
  /** Calls `fire` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, fire: () => void): () => void;
  /** A number in [0, 1). */
  random(): number;
}

/** The runtime's own. */
export const realTiming: Timing = {
  now: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Resolves after `delayMs`, or rejects with the signal's reason. */
export function pause(timing: Timing, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const cancel = timing.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Asks, and waits no longer than `withinMs`: over a connection that died without a word, nothing would come for minutes.
 * @throws EarshotError `unreachable` where no answer came in time; whatever `ask` throws.
 */
export async function inTime<T>(
  timing: Timing,
  withinMs: number,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const tooLate = new Promise<never>((_, reject) => {
    late.signal.addEventListener('abort', () => reject(late.signal.reason), { once: true });
  });
  const cancel = timing.after(withinMs, () =>
    late.abort(new EarshotError('unreachable', `no answer within ${withinMs / 1000} s`)),
  );
  try {
    return await Promise.race([ask(late.signal), tooLate]);
  } finally {
    cancel();
  }
}
