/**
 * Tells many listeners the same thing at once, each at its own pace. A listener that falls behind its bound is
 * cut off with {@link Lagged} rather than slowing the others or filling memory: it reads on from the log.
 */
export class Broadcast<T> {
  readonly #listeners = new Set<Listener<T>>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Hands `item` to every listener. Never waits. */
  publish(item: T): void {
    for (const listener of this.#listeners) listener.hand(item);
  }

  /**
   * Starts listening at once, before the first `next()`: nothing published after this call is missed.
   * @param capacity How many items may wait to be read.
   */
  listen(capacity: number): Subscription<T> {
    const listener = new Listener<T>(capacity, () => this.#listeners.delete(listener));
    this.#listeners.add(listener);
    return listener;
  }

  /** Ends every listener, after what it holds. */
  close(): void {
    for (const listener of [...this.#listeners]) listener.end();
  }
}

/** A place in the audience. Iterate it, and `stop()` it when done. */
export interface Subscription<T> extends AsyncIterable<T> {
  stop(): void;
}

/** Thrown to a listener that let more wait than its capacity. */
export class Lagged extends Error {
  constructor(capacity: number) {
    super(`the listener fell more than ${capacity} items behind`);
    this.name = 'Lagged';
  }
}

class Listener<T> implements Subscription<T> {
  readonly #waiting: T[] = [];
  readonly #capacity: number;
  readonly #leave: () => void;
  #ended = false;
  #lagged = false;
  #wake: (() => void) | null = null;

  constructor(capacity: number, leave: () => void) {
    this.#capacity = capacity;
    this.#leave = leave;
  }

  hand(item: T): void {
    if (this.#waiting.length >= this.#capacity) {
      this.#lagged = true;
      this.#waiting.length = 0;
      this.#leave();
    } else {
      this.#waiting.push(item);
    }
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#leave();
    this.#wake?.();
  }

  stop(): void {
    this.#waiting.length = 0;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      while (true) {
        if (this.#lagged) throw new Lagged(this.#capacity);
        const item = this.#waiting.shift();
        if (item !== undefined) yield item;
        else if (this.#ended) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.stop();
    }
  }
}
