/**
 * WAVE, as files and as endless streams: sizes of 0 or 0xFFFFFFFF mean "until the end", sizes that promise more
 * than comes are not an error, and the size of the whole is never looked at. RF64 and BW64 differ only in sizes.
 */
import type { Channel } from '../channel.ts';
import { PcmReader } from '../pcm.ts';
import { undecodable } from '../undecodable.ts';
import { ascii, ByteQueue, viewOf } from './byte-queue.ts';
import type { ContainerDecoder, Sound } from './decoder.ts';
import { readWavFormat, type WavFormat } from './wav-format.ts';

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** A `fmt ` chunk is 40 bytes at most in every known format; much more is nonsense. */
const MAX_FORMAT_BYTES = 1024;
const UNKNOWN_SIZE = 0xffffffff;
/** Bytes decoded in one step. */
const STEP_BYTES = 32_768;

type State =
  | { readonly kind: 'start' }
  | { readonly kind: 'chunks'; readonly format: WavFormat | null }
  | { readonly kind: 'data'; readonly rateHz: number; readonly reader: PcmReader; left: number };

export class WavDecoder implements ContainerDecoder {
  readonly #bytes = new ByteQueue();
  readonly #channel: Channel;
  #state: State = { kind: 'start' };

  constructor(channel: Channel = null) {
    this.#channel = channel;
  }

  async *decode(bytes: Uint8Array): AsyncGenerator<Sound, void, undefined> {
    this.#bytes.push(bytes);
    while (this.#state.kind !== 'data') if (!this.#readHeader()) return;
    const { reader, rateHz } = this.#state;
    while (this.#state.left > 0 && this.#bytes.length > 0) {
      const step = this.#bytes.take(Math.min(this.#bytes.length, this.#state.left, STEP_BYTES))!;
      this.#state.left -= step.length;
      yield { rateHz, samples: reader.push(step) };
    }
    // What follows the samples (tags, cue points) is of no interest.
    if (this.#state.left === 0) this.#bytes.skip(this.#bytes.length);
  }

  finish(): Iterable<Sound> {
    if (this.#state.kind !== 'data') throw undecodable('The WAV data ends before its samples begin.');
    return [];
  }

  free(): void {}

  /** Reads one piece of what comes before the samples; false where it has not arrived yet. */
  #readHeader(): boolean {
    if (this.#state.kind === 'start') {
      const header = this.#bytes.take(RIFF_HEADER_BYTES);
      if (!header) return false;
      if (ascii(header.subarray(8)) !== 'WAVE') throw undecodable('This is no WAV data.');
      this.#state = { kind: 'chunks', format: null };
      return true;
    }
    return this.#state.kind === 'chunks' && this.#readChunk(this.#state.format);
  }

  #readChunk(format: WavFormat | null): boolean {
    const header = this.#bytes.peek(CHUNK_HEADER_BYTES);
    if (!header) return false;
    const id = ascii(header.subarray(0, 4));
    const size = viewOf(header).getUint32(4, true);
    // Chunks begin at even positions.
    const body = size + (size % 2);
    switch (id) {
      case 'fmt ': {
        if (size > MAX_FORMAT_BYTES) throw undecodable('The WAV header is damaged.');
        const chunk = this.#bytes.peek(CHUNK_HEADER_BYTES + body);
        if (!chunk) return false;
        const read = readWavFormat(chunk.subarray(CHUNK_HEADER_BYTES, CHUNK_HEADER_BYTES + size));
        this.#state = { kind: 'chunks', format: read };
        break;
      }
      case 'data':
        if (!format) throw undecodable('The WAV data has samples before it says how they are stored.');
        this.#bytes.skip(CHUNK_HEADER_BYTES);
        this.#state = {
          kind: 'data',
          rateHz: format.rateHz,
          reader: new PcmReader(format, this.#channel),
          left: size === 0 || size === UNKNOWN_SIZE ? Number.POSITIVE_INFINITY : size,
        };
        return true;
    }
    this.#bytes.skip(CHUNK_HEADER_BYTES + body);
    return true;
  }
}
