/**
 * The audio that may still be needed: what was not sent yet, and what was sent but is not reflected in stored
 * events. One buffer serves as send queue and as memory for resending; positions are bytes since the session
 * began. Over its bound it forgets the oldest audio that was sent already; audio never sent is never forgotten.
 * Commits ("end the utterance now") keep their place between two bytes.
 */
export class AudioTail {
  readonly #maxBytes: number;
  readonly #chunks: Uint8Array[] = [];
  /** Position of the first byte held. */
  #start = 0;
  /** Position of the next byte to send. */
  #cursor = 0;
  /** Position after the last byte held. */
  #end = 0;
  /** Positions of commits, rising; the first `#marksSent` of them were sent. */
  #marks: number[] = [];
  #marksSent = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#end - this.#start;
  }

  get unsentBytes(): number {
    return this.#end - this.#cursor;
  }

  get sentBytes(): number {
    return this.#cursor;
  }

  /** Adds audio, which must not be changed afterwards; false, with nothing added, where it would not fit. */
  append(bytes: Uint8Array): boolean {
    if (bytes.byteLength === 0) return true;
    if (this.unsentBytes + bytes.byteLength > this.#maxBytes) return false;
    this.#chunks.push(bytes);
    this.#end += bytes.byteLength;
    this.forget(Math.min(this.#cursor, this.#end - this.#maxBytes));
    return true;
  }

  /** Notes a commit after the last byte added. */
  commit(): void {
    if (this.#marks.at(-1) !== this.#end) this.#marks.push(this.#end);
  }

  /** What is to be sent next, audio at most `maxBytes` long, and moves on; null where all was sent. */
  take(maxBytes: number): Uint8Array | 'commit' | null {
    const mark = this.#marks[this.#marksSent] ?? Number.POSITIVE_INFINITY;
    if (mark <= this.#cursor) {
      this.#marksSent += 1;
      return 'commit';
    }
    let position = this.#start;
    for (const chunk of this.#chunks) {
      const from = this.#cursor - position;
      if (from < chunk.byteLength) {
        const piece = chunk.subarray(from, from + Math.min(maxBytes, mark - this.#cursor));
        this.#cursor += piece.byteLength;
        return piece;
      }
      position += chunk.byteLength;
    }
    return null;
  }

  /** Goes back (or on) to send from `position`; false where that is no longer, or not yet, held. */
  rewind(position: number): boolean {
    if (position < this.#start || position > this.#end) return false;
    this.#cursor = position;
    const next = this.#marks.findIndex((mark) => mark > position);
    this.#marksSent = next < 0 ? this.#marks.length : next;
    return true;
  }

  /** Lets go of everything before `position` that was sent. */
  forget(position: number): void {
    const until = Math.min(position, this.#cursor);
    while (this.#chunks[0] && this.#start < until) {
      const first = this.#chunks[0];
      const cut = Math.min(first.byteLength, until - this.#start);
      if (cut === first.byteLength) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(cut);
      this.#start += cut;
    }
    const spent = this.#marks.findIndex((mark, index) => index >= this.#marksSent || mark > this.#start);
    const gone = spent < 0 ? this.#marks.length : spent;
    this.#marks.splice(0, gone);
    this.#marksSent -= gone;
  }
}
