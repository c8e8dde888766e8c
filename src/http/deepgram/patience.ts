/** How long a connection may say nothing. */
import type { Clock } from '../../flow/clock.ts';

export class Patience {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #lose: () => void;
  #cancel = () => {};

  /** @param lose Called once nothing was heard for `limitMs`. */
  constructor(clock: Clock, limitMs: number, lose: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#lose = lose;
  }

  /** Something was heard: waits anew. */
  restart(): void {
    this.stop();
    this.#cancel = this.#clock.after(this.#limitMs, this.#lose);
  }

  /** Waits no longer. A client that has to wait for us is not silent. */
  stop(): void {
    this.#cancel();
    this.#cancel = () => {};
  }
}
