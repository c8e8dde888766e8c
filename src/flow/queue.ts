/**
 * A bounded queue between one producer and one consumer: `push` waits while it is full, iteration waits while
 * it is empty. This is how pressure travels back to a socket: nothing is dropped, reading just slows down.
 */
export class Queue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  readonly #weigh: (item: T) => number;
  #weight = 0;
  #end: { readonly error: unknown } | 'closed' | null = null;
  #wakeReader: (() => void) | null = null;
  #wakeWriters: (() => void)[] = [];

  /**
   * @param capacity The total weight held before `push` waits. One item is always let in, however heavy.
   * @param weigh What an item counts for; 1 by default.
   */
  constructor(capacity: number, weigh: (item: T) => number = () => 1) {
    this.#capacity = capacity;
    this.#weigh = weigh;
  }

  /** The weight held now. */
  get weight(): number {
    return this.#weight;
  }

  /** Adds an item, waiting for room. Resolves false, with the item dropped, once the queue has ended. */
  async push(item: T): Promise<boolean> {
    while (this.#end === null && this.#weight >= this.#capacity)
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    return this.offer(item);
  }

  /** Adds an item without waiting, over capacity if need be: for items that may not wait, such as an end mark. */
  offer(item: T): boolean {
    if (this.#end !== null) return false;
    this.#items.push(item);
    this.#weight += this.#weigh(item);
    this.#wakeReader?.();
    return true;
  }

  /** No more items; those held are still read. */
  close(): void {
    this.#finish('closed');
  }

  /** Ends the reader with `error` once it has read what is held. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  #finish(end: { readonly error: unknown } | 'closed'): void {
    this.#end ??= end;
    this.#wakeReader?.();
    this.#releaseWriters();
  }

  #releaseWriters(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      while (true) {
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#weight -= this.#weigh(item);
          this.#releaseWriters();
          yield item;
        } else if (this.#end === 'closed') {
          return;
        } else if (this.#end !== null) {
          throw this.#end.error;
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
          this.#wakeReader = null;
        }
      }
    } finally {
      // A reader that leaves early must not leave writers waiting for room that will never come.
      this.close();
    }
  }
}
