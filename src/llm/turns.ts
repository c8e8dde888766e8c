import { Failure } from '../domain/failure.ts';

/** So many at once, so many more in line, first come first served; nobody after that. */
export class Turns {
  readonly #maxWaiting: number;
  readonly #line: (() => void)[] = [];
  #free: number;

  constructor(atOnce: number, maxWaiting: number) {
    this.#free = atOnce;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Waits for a turn. Whoever gets one must give it back, by calling what is returned.
   * @throws Failure `llm_overloaded` where the line is full; the signal's reason.
   */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let mine = true;
    return () => {
      if (!mine) return;
      mine = false;
      const next = this.#line.shift();
      if (next) next();
      else this.#free++;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#line.length >= this.#maxWaiting)
      throw new Failure(
        'llm_overloaded',
        'The language model has too many requests waiting. Try again later.',
      );
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#line.splice(this.#line.indexOf(enter), 1);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#line.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
