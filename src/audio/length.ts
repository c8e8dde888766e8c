/**
 * How long a recording is, where that can be told without decoding it: from its size, its header or its last
 * page. A forecast to show progress by; what counts is what is decoded in the end.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { AudioFormat } from '../domain/options.ts';
import { BitReader } from './containers/bit-reader.ts';
import { ascii, viewOf } from './containers/byte-queue.ts';
import { readWavFormat } from './containers/wav-format.ts';
import { BYTES_PER_SAMPLE } from './pcm.ts';
import { bytesPerFrame } from './position.ts';
import { SNIFF_BYTES } from './sniff.ts';

/** No Ogg page is larger (RFC 3533, section 6), so the last begins in so many bytes at the end. */
const MAX_OGG_PAGE_BYTES = 65_307;

/** Opus in Ogg counts at 48 kHz, whatever its input was (RFC 7845, section 4). */
const OPUS_RATE_HZ = 48_000;

/** Some 24 days: whatever says it is longer is not believed. */
const LONGEST_MS = 2 ** 31 - 1;

/** Samples over their rate, in whole milliseconds; null where that is no length. */
function lengthMs(samples: number, rateHz: number): number | null {
  const ms = Math.round((samples * 1000) / rateHz);
  return ms > 0 && ms <= LONGEST_MS ? ms : null;
}

/** The length of the recording at `path` in milliseconds; null where only decoding would tell. */
export async function recordingLengthMs(path: string, format: AudioFormat): Promise<number | null> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (format.encoding !== 'container')
      return lengthMs(Math.floor(size / bytesPerFrame(format)), format.sampleRateHz);
    const head = await readAt(file, 0, SNIFF_BYTES);
    if (ascii(head.subarray(8, 12)) === 'WAVE') return wavLengthMs(head, size);
    if (ascii(head.subarray(0, 4)) === 'fLaC') return flacLengthMs(head);
    if (ascii(head.subarray(0, 4)) === 'OggS')
      return opusLengthMs(
        head,
        await readAt(file, Math.max(0, size - MAX_OGG_PAGE_BYTES), MAX_OGG_PAGE_BYTES),
      );
    return null;
  } catch {
    // A damaged header is for the decoder to report, which knows what can still be saved.
    return null;
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** A size that promises more than there is, or none, means "to the end of the file". */
function wavLengthMs(head: Uint8Array, fileBytes: number): number | null {
  let format: ReturnType<typeof readWavFormat> | null = null;
  for (let at = 12; at + 8 <= head.length; ) {
    const id = ascii(head.subarray(at, at + 4));
    const size = viewOf(head).getUint32(at + 4, true);
    if (id === 'fmt ') format = readWavFormat(head.subarray(at + 8, at + 8 + size));
    if (id === 'data' && format) {
      const bytes = Math.min(size || Number.POSITIVE_INFINITY, fileBytes - at - 8);
      const frameBytes = BYTES_PER_SAMPLE[format.sampleType] * format.channels;
      return lengthMs(Math.floor(bytes / frameBytes), format.rateHz);
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

/** STREAMINFO, always the first block: rate in 20 bits, then 3 and 5 bits, then the samples in 36 (RFC 9639, 8.2). */
function flacLengthMs(head: Uint8Array): number | null {
  const bits = new BitReader(head.subarray(18));
  const rateHz = bits.unsigned(20);
  bits.unsigned(8);
  const samples = bits.unsigned(4) * 2 ** 32 + bits.unsigned(16) * 2 ** 16 + bits.unsigned(16);
  return lengthMs(samples, rateHz);
}

/** The last page's granule position, less what the first packet says to skip (RFC 7845, sections 4.2 and 5.1). */
function opusLengthMs(head: Uint8Array, tail: Uint8Array): number | null {
  const id = Buffer.from(head.buffer, head.byteOffset, head.length).indexOf('OpusHead');
  const page = Buffer.from(tail.buffer, tail.byteOffset, tail.length).lastIndexOf('OggS');
  if (id < 0 || page < 0) return null;
  const preSkip = viewOf(head).getUint16(id + 10, true);
  const granule = viewOf(tail).getBigInt64(page + 6, true);
  return lengthMs(Number(granule) - preSkip, OPUS_RATE_HZ);
}
