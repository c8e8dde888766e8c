/** Bytes that arrive in any split and leave in the pieces a format is made of. */

const FIRST_CAPACITY = 65_536;

export class ByteQueue {
  #buffer = new Uint8Array(FIRST_CAPACITY);
  #start = 0;
  #end = 0;
  /** Bytes to drop as they arrive. */
  #skipping = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(bytes: Uint8Array): void {
    const skipped = Math.min(this.#skipping, bytes.length);
    this.#skipping -= skipped;
    const fresh = bytes.subarray(skipped);
    if (this.#end + fresh.length > this.#buffer.length) this.#makeRoom(fresh.length);
    this.#buffer.set(fresh, this.#end);
    this.#end += fresh.length;
  }

  /** A view of the next `count` bytes, true until the next `push`; null where fewer have arrived. */
  peek(count: number): Uint8Array | null {
    return count <= this.length ? this.#buffer.subarray(this.#start, this.#start + count) : null;
  }

  /** Like {@link peek}, and takes them out. */
  take(count: number): Uint8Array | null {
    const bytes = this.peek(count);
    if (bytes) this.#start += count;
    return bytes;
  }

  /** Drops the next `count` bytes, also those yet to come. */
  skip(count: number): void {
    const here = Math.min(count, this.length);
    this.#start += here;
    this.#skipping += count - here;
  }

  #makeRoom(more: number): void {
    const kept = this.#buffer.subarray(this.#start, this.#end);
    const needed = kept.length + more;
    // Moved within the buffer only where that frees half of it, so that every byte is moved O(1) times.
    if (2 * needed > this.#buffer.length) {
      this.#buffer = new Uint8Array(Math.max(2 * needed, FIRST_CAPACITY));
      this.#buffer.set(kept);
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = needed - more;
  }
}

/** A DataView over just these bytes. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The bytes as ASCII, for comparing with four-character codes. */
export const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
