/** One FLAC frame (RFC 9639, 9): a few thousand samples of all channels, checked by a checksum. */
import { type Channel, requireChannel } from '../channel.ts';
import { BitReader } from './bit-reader.ts';
import type { Sound } from './decoder.ts';
import { DamagedFrame } from './flac-frame-error.ts';
import { type FlacStreamInfo, readFrameHeader } from './flac-header.ts';
import { readSubframe } from './flac-subframe.ts';

export interface FlacFrame extends Sound {
  /** Bytes the frame took. */
  readonly length: number;
}

/** CRC-16 with polynomial 0x8005 (RFC 9639, 9.3). */
const CRC = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x8005 : 0);
  return crc;
});

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ CRC[(crc >>> 8) ^ byte]!) & 0xffff;
  return crc;
}

/**
 * Reads the frame that `bytes` begin with: one channel, or all mixed down to mono.
 * @throws DamagedFrame where there is none, OutOfBits where it is not all there, Failure `audio_undecodable` where
 * the one channel is not.
 */
export function readFrame(bytes: Uint8Array, stream: FlacStreamInfo, channel: Channel = null): FlacFrame {
  const bits = new BitReader(bytes);
  const { blockSize, channelMode, bitsPerSample, rateHz } = readFrameHeader(bits, bytes, stream);
  const channels: Float64Array[] = [];
  const count = channelMode < 8 ? channelMode + 1 : 2;
  for (let i = 0; i < count; i++)
    channels.push(readSubframe(bits, blockSize, bitsPerSample + (i === sideOf(channelMode) ? 1 : 0)));
  bits.align();
  const checked = bytes.subarray(0, bits.byteOffset);
  if (bits.unsigned(16) !== crc16(checked)) throw new DamagedFrame();
  requireChannel(channel, count);
  const samples =
    channel === null
      ? mix(channels, channelMode, bitsPerSample)
      : pick(channels, channelMode, bitsPerSample, channel);
  return { rateHz, samples, length: bits.byteOffset };
}

/** Which channel holds the difference of the two; -1 where none does. */
function sideOf(channelMode: number): number {
  if (channelMode < 8) return -1;
  return channelMode === 9 ? 0 : 1;
}

function mix(channels: readonly Float64Array[], channelMode: number, bitsPerSample: number): Float32Array {
  const [first, second] = channels as [Float64Array, Float64Array];
  const scale = 2 ** (1 - bitsPerSample);
  const mono = new Float32Array(first.length);
  for (let i = 0; i < mono.length; i++) {
    let value: number;
    switch (channelMode) {
      case 8:
        // left, left − right
        value = first[i]! - second[i]! / 2;
        break;
      case 9:
        // left − right, right
        value = second[i]! + first[i]! / 2;
        break;
      case 10:
        // (left + right) rounded down, whose last bit is that of left − right
        value = first[i]! + (Math.abs(second[i]!) % 2) / 2;
        break;
      default:
        value = channels.reduce((sum, channel) => sum + channel[i]!, 0) / channels.length;
    }
    mono[i] = value * scale;
  }
  return mono;
}

/** One channel of those the frame stands for: of two, both may have to be made of what is stored. */
function pick(
  channels: readonly Float64Array[],
  channelMode: number,
  bitsPerSample: number,
  channel: number,
): Float32Array {
  const [first, second] = channels as [Float64Array, Float64Array];
  const isLeft = channel === 0;
  const at = (i: number): number => {
    switch (channelMode) {
      case 8:
        return isLeft ? first[i]! : first[i]! - second[i]!;
      case 9:
        return isLeft ? first[i]! + second[i]! : second[i]!;
      case 10: {
        // Twice the mean, whose last bit is that of the difference, and half of what comes of the two.
        const sum = 2 * first[i]! + (Math.abs(second[i]!) % 2);
        return (isLeft ? sum + second[i]! : sum - second[i]!) / 2;
      }
      default:
        return channels[channel]![i]!;
    }
  };
  const scale = 2 ** (1 - bitsPerSample);
  return Float32Array.from(first, (_, i) => at(i) * scale);
}
