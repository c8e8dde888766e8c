/**
 * Any rate to 16 kHz, one stream at a time. The converter (libsamplerate's band-limited sinc) runs a few
 * milliseconds behind its input and its rounding drifts by a sample or two; both are put right here, so that
 * positions in the output can be trusted as positions in the input.
 */
import type { SRC as Converter } from '@alexanderolsen/libsamplerate-js/dist/src.js';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import { tame } from './tame.ts';

/** Rates the gateway accepts, from any source. */
export const MIN_INPUT_RATE_HZ = 4_000;
export const MAX_INPUT_RATE_HZ = 192_000;

const EMPTY = new Float32Array(0);
/** At the end, silence pushes out what the converter still holds: enough for its longest filter. */
const FLUSH_SECONDS = 0.1;

export class Resampler {
  readonly #rateHz: number;
  /** Null at 16 kHz: nothing to convert. */
  readonly #converter: Converter | null;
  #received = 0;
  #emitted = 0;
  /** Output that came before its time. */
  #held: Float32Array = EMPTY;

  private constructor(rateHz: number, converter: Converter | null) {
    this.#rateHz = rateHz;
    this.#converter = converter;
  }

  /** @param rateHz {@link MIN_INPUT_RATE_HZ} to {@link MAX_INPUT_RATE_HZ}. */
  static async open(rateHz: number): Promise<Resampler> {
    if (rateHz === SAMPLE_RATE_HZ) return new Resampler(rateHz, null);
    // Loaded only where it is needed: it is two megabytes of source.
    const { default: libsamplerate } = await import('@alexanderolsen/libsamplerate-js');
    const { create, ConverterType } = libsamplerate;
    const converterType = ConverterType.SRC_SINC_MEDIUM_QUALITY;
    return new Resampler(rateHz, await create(1, rateHz, SAMPLE_RATE_HZ, { converterType }));
  }

  /** What can be said at 16 kHz so far: never past the position of the input. */
  push(mono: Float32Array): Float32Array {
    this.#received += mono.length;
    if (!this.#converter) return mono;
    return this.#emit(this.#convert(mono), Math.floor(this.#due()));
  }

  /** The rest: all output together is round(input × 16,000 / rate) samples. */
  flush(): Float32Array {
    if (!this.#converter) return EMPTY;
    const total = Math.round(this.#due());
    const tail = this.#convert(new Float32Array(Math.ceil(this.#rateHz * FLUSH_SECONDS)));
    const rest = this.#emit(tail, total);
    const padded = new Float32Array(rest.length + total - this.#emitted);
    padded.set(rest);
    return padded;
  }

  close(): void {
    this.#converter?.destroy();
  }

  #due(): number {
    return (this.#received * SAMPLE_RATE_HZ) / this.#rateHz;
  }

  #convert(mono: Float32Array): Float32Array {
    // The converter's result is a view of its own memory.
    return mono.length === 0 ? EMPTY : tame(this.#converter!.full(mono).slice());
  }

  #emit(fresh: Float32Array, upTo: number): Float32Array {
    const ready = new Float32Array(this.#held.length + fresh.length);
    ready.set(this.#held);
    ready.set(fresh, this.#held.length);
    const count = Math.min(ready.length, upTo - this.#emitted);
    this.#emitted += count;
    this.#held = ready.slice(count);
    return ready.subarray(0, count);
  }
}
