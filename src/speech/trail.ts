/**
 * The audio that may still be needed: from a moving floor to the newest sample, in one buffer. What was handed out
 * as a view stays true, since nothing is ever overwritten: a full buffer is replaced by a new one.
 */
import { type Samples, samples } from '../domain/time.ts';

const FIRST_CAPACITY = 16_384;

export class Trail {
  #buffer = new Float32Array(FIRST_CAPACITY);
  /** Position of the buffer's first sample. */
  #base = 0;
  #length = 0;
  #floor = 0;

  /** The position after the newest sample. */
  get end(): Samples {
    return samples(this.#base + this.#length);
  }

  append(audio: Float32Array): void {
    if (this.#length + audio.length > this.#buffer.length) this.#replace(audio.length);
    this.#buffer.set(audio, this.#length);
    this.#length += audio.length;
  }

  /** Lets go of what lies before `position`, which never goes back. */
  forget(position: Samples): void {
    this.#floor = Math.max(this.#floor, position);
  }

  /** A view of the audio from `start` to `end`, both within what is kept. */
  view(start: Samples, end: Samples): Float32Array {
    if (start < this.#floor || end > this.end) throw new RangeError(`${start}–${end} is not kept`);
    return this.#buffer.subarray(start - this.#base, end - this.#base);
  }

  #replace(more: number): void {
    const kept = this.#buffer.subarray(Math.min(this.#floor - this.#base, this.#length), this.#length);
    const needed = kept.length + more;
    // Room for as much again: copying stays rare, and the buffer small while nobody speaks.
    this.#buffer = new Float32Array(Math.max(FIRST_CAPACITY, 2 * needed));
    this.#buffer.set(kept);
    this.#base += this.#length - kept.length;
    this.#length = kept.length;
  }
}
