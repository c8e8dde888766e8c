/** The native client's time, run faster: what it waits for in minutes is over in seconds. */
import type { Timing } from '../../../src/client/timing.ts';

export class FastTiming implements Timing {
  /** How many seconds pass for the client in one. */
  #factor = 1;
  /** When the factor was set, in both times. */
  #since = { realMs: performance.now(), clientMs: 0 };

  now(): number {
    const { realMs, clientMs } = this.#since;
    return clientMs + (performance.now() - realMs) * this.#factor;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = setTimeout(fire, delayMs / this.#factor);
    return () => clearTimeout(timer);
  }

  random(): number {
    return Math.random();
  }

  /** Of no effect for what is waited for already. */
  run(factor: number): void {
    this.#since = { realMs: performance.now(), clientMs: this.now() };
    this.#factor = factor;
  }
}
