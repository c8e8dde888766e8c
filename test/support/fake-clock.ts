import type { Clock } from '../../src/flow/clock.ts';

/** A clock turned by hand: nothing fires but in {@link FakeClock.advance}. */
export class FakeClock implements Clock {
  readonly #timers = new Set<{ readonly atMs: number; readonly order: number; readonly fire: () => void }>();
  readonly #epochMs: number;
  #elapsedMs = 0;
  #order = 0;

  /** @param epochMs What `now()` says at first. */
  constructor(epochMs = Date.UTC(2025, 0, 1)) {
    this.#epochMs = epochMs;
  }

  /** How many timers wait to fire. */
  get waiting(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /**
   * Lets `ms` pass, firing what falls due in order of time. Before each timer and at the end, code that waits on
   * settled promises gets to run, so timers it sets within the span fire too.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    for (;;) {
      await settle();
      const next = [...this.#timers]
        .filter((timer) => timer.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.fire();
    }
    this.#elapsedMs = endMs;
    await settle();
  }
}

/** One turn of the event loop: every chain of settled promises has run by then. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
