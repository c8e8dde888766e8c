/** A limit on how long something may take, as a signal. */
import type { Clock } from '../flow/clock.ts';

/** The reason of a signal whose time ran out. */
export class TimedOut extends Error {
  constructor() {
    super('the time ran out');
    this.name = 'TimedOut';
  }
}

export interface Deadline {
  /** Aborts with {@link TimedOut}, or with the reason of the signal it was made under. */
  readonly signal: AbortSignal;
  /** Counts from now again. */
  restart(): void;
  /** To be called when the work is over. */
  clear(): void;
}

/** Begins to count at once. */
export function deadline(timeoutMs: number, clock: Clock, outer: AbortSignal): Deadline {
  const controller = new AbortController();
  const onAbort = () => controller.abort(outer.reason);
  let cancel = () => {};
  const restart = () => {
    cancel();
    cancel = clock.after(timeoutMs, () => controller.abort(new TimedOut()));
  };
  if (outer.aborted) onAbort();
  else outer.addEventListener('abort', onAbort, { once: true });
  restart();
  return {
    signal: controller.signal,
    restart,
    clear() {
      cancel();
      outer.removeEventListener('abort', onAbort);
    },
  };
}
