/** The headers of FLAC: of the stream (RFC 9639, 8.2) and of each frame (9.1). */
import { undecodable } from '../undecodable.ts';
import { BitReader } from './bit-reader.ts';
import { DamagedFrame } from './flac-frame-error.ts';

/** What holds for frames that do not say otherwise. */
export interface FlacStreamInfo {
  readonly rateHz: number;
  readonly bitsPerSample: number;
}

export interface FlacFrameHeader extends FlacStreamInfo {
  readonly blockSize: number;
  /** 0–7: so many independent channels and one more; 8 left/side, 9 side/right, 10 mid/side. */
  readonly channelMode: number;
}

const RATES_HZ = [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
const SAMPLE_BITS = [0, 8, 12, null, 16, 20, 24, 32];
/** 14 bits of sync code, one of which the last must be 0. */
const SYNC = 0x7ffc;

/** @param body The content of a STREAMINFO block. */
export function readStreamInfo(body: Uint8Array): FlacStreamInfo {
  const bits = new BitReader(body.subarray(10));
  const rateHz = bits.unsigned(20);
  bits.unsigned(3);
  const bitsPerSample = bits.unsigned(5) + 1;
  if (bitsPerSample > 24) throw undecodable(`FLAC with ${bitsPerSample} bits is not supported.`);
  return { rateHz, bitsPerSample };
}

/** CRC-8 with polynomial 0x07 (RFC 9639, 9.1.8). */
function crc8(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
  }
  return crc;
}

/**
 * Reads a frame's header.
 * @throws DamagedFrame where no frame begins here, OutOfBits where its header is not all there.
 */
export function readFrameHeader(bits: BitReader, frame: Uint8Array, stream: FlacStreamInfo): FlacFrameHeader {
  if (bits.unsigned(15) !== SYNC) throw new DamagedFrame();
  bits.unsigned(1);
  const [sizeCode, rateCode, channelMode, depthCode] = [4, 4, 4, 3].map((count) => bits.unsigned(count)) as [
    number,
    number,
    number,
    number,
  ];
  const isReserved = bits.unsigned(1) === 1 || sizeCode === 0 || rateCode === 15 || channelMode > 10;
  const depth = SAMPLE_BITS[depthCode];
  if (isReserved || depth === null || depth === undefined) throw new DamagedFrame();
  skipCodedNumber(bits);
  const blockSize = readBlockSize(bits, sizeCode);
  const rateHz = readRate(bits, rateCode) || stream.rateHz;
  const checked = frame.subarray(0, bits.byteOffset);
  if (bits.unsigned(8) !== crc8(checked)) throw new DamagedFrame();
  const bitsPerSample = depth || stream.bitsPerSample;
  if (bitsPerSample > 24) throw new DamagedFrame();
  return { rateHz, bitsPerSample, blockSize, channelMode };
}

/** The frame's or first sample's number, coded like UTF-8 in up to seven bytes. */
function skipCodedNumber(bits: BitReader): void {
  const first = bits.unsigned(8);
  const leadingOnes = Math.clz32(~(first << 24));
  if (leadingOnes === 1 || leadingOnes > 7) throw new DamagedFrame();
  for (let i = 1; i < leadingOnes; i++) if (bits.unsigned(8) >> 6 !== 2) throw new DamagedFrame();
}

function readBlockSize(bits: BitReader, code: number): number {
  if (code === 1) return 192;
  if (code <= 5) return 144 * 2 ** code;
  if (code === 6) return bits.unsigned(8) + 1;
  if (code === 7) return bits.unsigned(16) + 1;
  return 2 ** code;
}

function readRate(bits: BitReader, code: number): number {
  if (code === 12) return bits.unsigned(8) * 1000;
  if (code === 13) return bits.unsigned(16);
  if (code === 14) return bits.unsigned(16) * 10;
  return RATES_HZ[code]!;
}
