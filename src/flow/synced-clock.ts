/**
 * A clock that many processes agree on, whatever their machines' clocks do: another's time, read now and then, and carried on
 * by the time that only goes forward. A clock that is set, on this machine, changes nothing.
 */
import type { Clock } from './clock.ts';

/** Readings that took longer say too little of when they were made. */
const MAX_READING_MS = 2_000;

/** Clocks of machines go apart by some milliseconds in that time. */
const SYNC_EVERY_MS = 60_000;

export class SyncedClock implements Clock {
  readonly #own: Clock;
  /** To be added to the monotonic time. */
  #offsetMs: number;

  /** @param own Goes on by it; until the first {@link sync} it also says what time it is. */
  constructor(own: Clock) {
    this.#own = own;
    this.#offsetMs = own.now() - own.monotonicMs();
  }

  now(): number {
    return Math.round(this.#own.monotonicMs() + this.#offsetMs);
  }

  monotonicMs(): number {
    return this.#own.monotonicMs();
  }

  after(delayMs: number, fire: () => void): () => void {
    return this.#own.after(delayMs, fire);
  }

  /**
   * Takes over another's time (Cristian's algorithm: it is taken to be that of the middle of the reading).
   * @param read Epoch milliseconds, of what all agree on.
   * @returns Whether the reading was good enough to be taken.
   */
  async sync(read: () => Promise<number>): Promise<boolean> {
    const fromMs = this.#own.monotonicMs();
    const theirsMs = await read();
    const untilMs = this.#own.monotonicMs();
    if (untilMs - fromMs > MAX_READING_MS) return false;
    this.#offsetMs = theirsMs - (fromMs + untilMs) / 2;
    return true;
  }

  /** Does so again and again, until the returned function is called; while nobody answers, it goes on as it is. */
  keepInSync(read: () => Promise<number>): () => void {
    let stopped = false;
    let cancel = () => {};
    const again = async () => {
      await this.sync(read).catch(() => false);
      if (!stopped) cancel = this.#own.after(SYNC_EVERY_MS, () => void again());
    };
    cancel = this.#own.after(SYNC_EVERY_MS, () => void again());
    return () => {
      stopped = true;
      cancel();
    };
  }
}
