/** Uncompressed audio: bytes in any split, mono samples out. */
import type { AudioEncoding } from '../domain/options.ts';
import { type Channel, requireChannel } from './channel.ts';
import { ALAW_TO_LINEAR, MULAW_TO_LINEAR } from './g711.ts';
import { tame } from './tame.ts';

/** How one number is stored; all little-endian. */
export type SampleType = 'u8' | 's16le' | 's24le' | 's32le' | 'f32le' | 'f64le' | 'mulaw' | 'alaw';

export interface PcmLayout {
  readonly sampleType: SampleType;
  /** Interleaved; at least 1. */
  readonly channels: number;
}

export const BYTES_PER_SAMPLE: Readonly<Record<SampleType, number>> = {
  u8: 1,
  s16le: 2,
  s24le: 3,
  s32le: 4,
  f32le: 4,
  f64le: 8,
  mulaw: 1,
  alaw: 1,
};

const READ: Readonly<Record<SampleType, (view: DataView, at: number) => number>> = {
  u8: (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  s16le: (view, at) => view.getInt16(at, true) / 2 ** 15,
  s24le: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
  s32le: (view, at) => view.getInt32(at, true) / 2 ** 31,
  f32le: (view, at) => view.getFloat32(at, true),
  f64le: (view, at) => view.getFloat64(at, true),
  mulaw: (view, at) => MULAW_TO_LINEAR[view.getUint8(at)]!,
  alaw: (view, at) => ALAW_TO_LINEAR[view.getUint8(at)]!,
};

/** The stored form of each raw encoding of the interface. */
export const RAW_SAMPLE_TYPE: Readonly<Record<Exclude<AudioEncoding, 'container'>, SampleType>> = {
  pcm_s16le: 's16le',
  pcm_f32le: 'f32le',
  mulaw: 'mulaw',
  alaw: 'alaw',
};

/** Reads interleaved samples and mixes the channels down to their mean, or picks one. Keeps what does not fill a whole frame. */
export class PcmReader {
  readonly #layout: PcmLayout;
  readonly #channel: Channel;
  readonly #frameBytes: number;
  #carried: Uint8Array = new Uint8Array(0);

  /** @throws Failure `audio_undecodable` where the one channel is not there. */
  constructor(layout: PcmLayout, channel: Channel = null) {
    requireChannel(channel, layout.channels);
    this.#layout = layout;
    this.#channel = channel;
    this.#frameBytes = BYTES_PER_SAMPLE[layout.sampleType] * layout.channels;
  }

  /** Bytes of one instant over all channels. */
  get frameBytes(): number {
    return this.#frameBytes;
  }

  /** The samples completed by `bytes`, in −1…1. Bytes of an unfinished frame wait for the next call. */
  push(bytes: Uint8Array): Float32Array {
    const input = this.#carried.length === 0 ? bytes : Buffer.concat([this.#carried, bytes]);
    const frames = Math.floor(input.length / this.#frameBytes);
    // A copy: a view would hold on to the whole message.
    this.#carried = new Uint8Array(input.subarray(frames * this.#frameBytes));
    return tame(this.#channel === null ? this.#mix(input, frames) : this.#pick(input, frames, this.#channel));
  }

  #mix(input: Uint8Array, frames: number): Float32Array {
    const { sampleType, channels } = this.#layout;
    const read = READ[sampleType];
    const step = BYTES_PER_SAMPLE[sampleType];
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const mono = new Float32Array(frames);
    for (let frame = 0, at = 0; frame < frames; frame++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++, at += step) sum += read(view, at);
      mono[frame] = sum / channels;
    }
    return mono;
  }

  #pick(input: Uint8Array, frames: number, channel: number): Float32Array {
    const { sampleType } = this.#layout;
    const read = READ[sampleType];
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const first = channel * BYTES_PER_SAMPLE[sampleType];
    return Float32Array.from({ length: frames }, (_, frame) => read(view, first + frame * this.#frameBytes));
  }
}
