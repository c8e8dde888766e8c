/** Raw PCM: light enough for the thread it arrives on, in pieces that never hold it up for long. */
import type { AudioEncoding, AudioFormat } from '../domain/options.ts';
import type { AudioDecoder } from './decoder.ts';
import { PcmReader, RAW_SAMPLE_TYPE } from './pcm.ts';
import { Resampler } from './resampler.ts';

/** A raw format: all but containers. */
export type RawFormat = AudioFormat & { readonly encoding: Exclude<AudioEncoding, 'container'> };

/** The longest stretch of input converted in one go. */
const PIECE_MS = 500;

export class RawDecoder implements AudioDecoder {
  readonly #reader: PcmReader;
  readonly #pieceBytes: number;
  readonly #resampler: Promise<Resampler>;

  constructor({ encoding, sampleRateHz, channels, channel = null }: RawFormat) {
    this.#reader = new PcmReader({ sampleType: RAW_SAMPLE_TYPE[encoding], channels }, channel);
    this.#pieceBytes = this.#reader.frameBytes * Math.ceil((sampleRateHz * PIECE_MS) / 1000);
    this.#resampler = Resampler.open(sampleRateHz);
    this.#resampler.catch(() => {});
  }

  async *decode(bytes: Uint8Array | null): AsyncGenerator<Float32Array, void, undefined> {
    const resampler = await this.#resampler;
    if (bytes === null) {
      const rest = resampler.flush();
      if (rest.length > 0) yield rest;
      return;
    }
    for (let at = 0; at < bytes.length; at += this.#pieceBytes) {
      const audio = resampler.push(this.#reader.push(bytes.subarray(at, at + this.#pieceBytes)));
      if (audio.length > 0) yield audio;
    }
  }

  async close(): Promise<void> {
    (await this.#resampler).close();
  }
}
