import { EarshotError } from './error.ts';

type Item = { readonly type: string; readonly utteranceId?: string | null };

/**
 * Events between the socket, which cannot wait, and the reader, who may. A newer hypothesis takes the place of
 * an older one of the same utterance, and newer progress that of older; all else waits its turn. Over the bound
 * the reader is told, and gets nothing more: leaving an event out in silence would be worse.
 */
export class EventQueue<E extends Item> implements AsyncIterable<E> {
  readonly #capacity: number;
  readonly #waiting: E[] = [];
  #end: { readonly error: EarshotError | null } | null = null;
  #wake: () => void = () => {};
  #isRead = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(event: E): void {
    if (this.#end) return;
    const last = this.#waiting.at(-1);
    if (last && replaces(event, last)) this.#waiting[this.#waiting.length - 1] = event;
    else if (this.#waiting.length < this.#capacity) this.#waiting.push(event);
    else this.end(new EarshotError('reader_too_slow', `${this.#capacity} events wait to be read`));
    this.#wake();
  }

  /** No more events; those that wait are still read, then `error` is thrown where there is one. */
  end(error: EarshotError | null): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** @throws TypeError for a second reader beside the first: each would get half of the events. */
  async *[Symbol.asyncIterator](): AsyncGenerator<E, void, undefined> {
    if (this.#isRead) throw new TypeError('the events of this stream are being read already');
    this.#isRead = true;
    try {
      while (true) {
        const event = this.#waiting.shift();
        if (event) {
          yield event;
        } else if (this.#end) {
          if (this.#end.error) throw this.#end.error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#isRead = false;
    }
  }
}

function replaces(newer: Item, older: Item): boolean {
  if (newer.type !== older.type) return false;
  if (newer.type === 'session.progress') return true;
  return newer.type === 'transcript.partial' && newer.utteranceId === older.utteranceId;
}
