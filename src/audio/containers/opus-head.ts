/** The identification header of Opus in Ogg (RFC 7845, 5.1), which Matroska keeps as its codec's private data. */
import { undecodable } from '../undecodable.ts';
import { ascii, viewOf } from './byte-queue.ts';

export interface OpusHead {
  /** Channels to decode. */
  readonly channels: number;
  /** Channels there are; a mono stream is decoded to two that are the same. */
  readonly declaredChannels: number;
  readonly streams: number;
  readonly coupledStreams: number;
  /** For each channel, which decoded stream it is. */
  readonly mapping: readonly number[];
  /** Samples at 48 kHz to drop from the beginning: the decoder needs them to settle. */
  readonly preSkip: number;
  /** To multiply the output with. */
  readonly gain: number;
}

const MAGIC = 'OpusHead';
const FIXED_BYTES = 19;
const MAX_CHANNELS = 8;

export const isOpusHead = (packet: Uint8Array): boolean => ascii(packet.subarray(0, 8)) === MAGIC;

/** @throws Failure `audio_undecodable` where the header is damaged, or of a version or layout we do not know. */
export function readOpusHead(packet: Uint8Array): OpusHead {
  if (!isOpusHead(packet) || packet.length < FIXED_BYTES) throw undecodable('The Opus header is damaged.');
  const view = viewOf(packet);
  const [version, channels, family] = [view.getUint8(8), view.getUint8(9), view.getUint8(18)];
  if (version >> 4 !== 0) throw undecodable(`Opus of version ${version} is not supported.`);
  const head = {
    channels,
    declaredChannels: channels,
    preSkip: view.getUint16(10, true),
    // In dB, as a Q7.8 number.
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  };
  if (family === 0) {
    if (channels < 1 || channels > 2) throw undecodable(`An Opus header says ${channels} channels.`);
    // A mono stream decodes to two equal channels, and packets may change between mono and stereo.
    return { ...head, channels: 2, streams: 1, coupledStreams: 1, mapping: [0, 1] };
  }
  const [streams = 0, coupledStreams = 0, ...mapping] = packet.subarray(
    FIXED_BYTES,
    FIXED_BYTES + 2 + channels,
  );
  const decoded = streams + coupledStreams;
  const isSound =
    channels >= 1 &&
    channels <= MAX_CHANNELS &&
    streams >= 1 &&
    coupledStreams <= streams &&
    decoded <= MAX_CHANNELS &&
    mapping.length === channels &&
    mapping.every((stream) => stream < decoded || stream === 255);
  if (!isSound) throw undecodable('The Opus header describes channels that cannot be.');
  return { ...head, streams, coupledStreams, mapping };
}

/** How many samples at 48 kHz a packet stands for (RFC 6716, 3.1); 0 where it is damaged. */
export function packetDuration(packet: Uint8Array): number {
  const [toc, second] = packet;
  if (toc === undefined) return 0;
  const config = toc >> 3;
  const frame =
    config < 12
      ? [480, 960, 1920, 2880][config & 3]!
      : config < 16
        ? [480, 960][config & 1]!
        : [120, 240, 480, 960][config & 3]!;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (second ?? 0) & 0x3f;
  const duration = frame * frames;
  return duration <= 5760 ? duration : 0;
}
