/** One Opus stream: packets in, mono at 16 kHz out, timed by its packets even where some are damaged. */
import { OpusDecoder } from 'opus-decoder';
import { SAMPLE_RATE_HZ } from '../../domain/time.ts';
import { type Channel, requireChannel } from '../channel.ts';
import type { Sound } from './decoder.ts';
import { type OpusHead, packetDuration } from './opus-head.ts';

/** Opus counts at 48 kHz whatever it is decoded to. */
const PER_SAMPLE = 48_000 / SAMPLE_RATE_HZ;
/** The most the decoder takes in one packet for each channel: 120 ms at 256 kbit/s. */
const MAX_PACKET_BYTES_PER_CHANNEL = 3_840;

type Wasm = OpusDecoder<typeof SAMPLE_RATE_HZ>;

export class OpusStream {
  readonly #decoder: Wasm;
  readonly #head: OpusHead;
  readonly #channel: Channel;
  /** Samples still to drop from the beginning, at 48 kHz. */
  #skip: number;

  private constructor(decoder: Wasm, head: OpusHead, channel: Channel) {
    this.#decoder = decoder;
    this.#head = head;
    this.#channel = channel;
    this.#skip = head.preSkip;
  }

  /** @throws Failure `audio_undecodable` where the one channel is not there. */
  static async open(head: OpusHead, channel: Channel = null): Promise<OpusStream> {
    requireChannel(channel, head.declaredChannels);
    const decoder = new OpusDecoder({
      sampleRate: SAMPLE_RATE_HZ,
      channels: head.channels,
      streamCount: head.streams,
      coupledStreamCount: head.coupledStreams,
      channelMappingTable: [...head.mapping],
    });
    await decoder.ready;
    return new OpusStream(decoder, head, channel);
  }

  /**
   * @param discard Samples at 48 kHz to drop from the end of this packet.
   */
  decode(packet: Uint8Array, discard = 0): Sound {
    const mono = this.#mix(packet);
    const duration = mono.length * PER_SAMPLE;
    const skipped = Math.min(this.#skip, duration);
    this.#skip -= skipped;
    const from = Math.round(skipped / PER_SAMPLE);
    const to = Math.max(from, Math.round((duration - discard) / PER_SAMPLE));
    return { rateHz: SAMPLE_RATE_HZ, samples: mono.subarray(from, to) };
  }

  free(): void {
    this.#decoder.free();
  }

  #mix(packet: Uint8Array): Float32Array {
    const { channelData, samplesDecoded } =
      packet.length > 0 && packet.length <= MAX_PACKET_BYTES_PER_CHANNEL * this.#head.channels
        ? this.#decoder.decodeFrame(packet)
        : { channelData: [], samplesDecoded: 0 };
    // What cannot be decoded still took its time.
    const mono = new Float32Array(samplesDecoded || Math.round(packetDuration(packet) / PER_SAMPLE));
    const heard = this.#channel === null ? channelData : channelData.slice(this.#channel, this.#channel + 1);
    for (const channel of heard) for (let i = 0; i < samplesDecoded; i++) mono[i] = mono[i]! + channel[i]!;
    const scale = this.#head.gain / (this.#channel === null ? this.#head.channels : 1);
    for (let i = 0; i < mono.length; i++) mono[i] = mono[i]! * scale;
    return mono;
  }
}
