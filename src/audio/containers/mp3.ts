/** MPEG audio layers I to III, by mpg123, which finds its own way through tags and damage. */
import { MPEGDecoder } from 'mpg123-decoder';
import { type Channel, requireChannel } from '../channel.ts';
import { undecodable } from '../undecodable.ts';
import type { ContainerDecoder, Sound } from './decoder.ts';

/** Bytes decoded in one step: four seconds at the lowest bit rate there is. */
const STEP_BYTES = 4_096;
const MAX_CHANNELS = 2;

export class Mp3Decoder implements ContainerDecoder {
  readonly #mpeg: MPEGDecoder;
  readonly #channel: Channel;
  #heard = false;

  private constructor(mpeg: MPEGDecoder, channel: Channel) {
    this.#mpeg = mpeg;
    this.#channel = channel;
  }

  /** @throws Failure `audio_undecodable` where the one channel cannot be there. */
  static async open(channel: Channel = null): Promise<Mp3Decoder> {
    requireChannel(channel, MAX_CHANNELS);
    const mpeg = new MPEGDecoder();
    await mpeg.ready;
    return new Mp3Decoder(mpeg, channel);
  }

  async *decode(bytes: Uint8Array): AsyncGenerator<Sound, void, undefined> {
    for (let at = 0; at < bytes.length; at += STEP_BYTES) {
      const { channelData, samplesDecoded, sampleRate } = this.#mpeg.decode(
        bytes.subarray(at, at + STEP_BYTES),
      );
      if (samplesDecoded === 0) continue;
      this.#heard = true;
      // Always two channels; of a mono stream, twice the same.
      const [left, right] = channelData as [Float32Array, Float32Array];
      const samples =
        this.#channel === null
          ? left.map((sample, i) => (sample + right[i]!) / 2)
          : [left, right][this.#channel]!.slice();
      yield { rateHz: sampleRate, samples };
    }
  }

  finish(): Iterable<Sound> {
    if (!this.#heard) throw undecodable('There is no sound in the MP3 data.');
    return [];
  }

  free(): void {
    this.#mpeg.free();
  }
}
