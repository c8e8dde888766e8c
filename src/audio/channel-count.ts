/** How many channels a recording has, where its beginning tells. */
import { type FileHandle, open } from 'node:fs/promises';
import type { AudioFormat } from '../domain/options.ts';
import { BitReader } from './containers/bit-reader.ts';
import { ascii, viewOf } from './containers/byte-queue.ts';
import { readWavFormat } from './containers/wav-format.ts';
import { type OwnContainer, SNIFF_BYTES, sniff } from './sniff.ts';

/** The channels of the recording at `path`; null where only decoding would tell. */
export async function recordingChannels(path: string, format: AudioFormat): Promise<number | null> {
  if (format.encoding !== 'container') return format.channels;
  const file = await open(path);
  try {
    const head = await headOf(file);
    const container = sniff(head, true);
    return container !== null && container !== 'more' && container.by === 'thread'
      ? COUNT[container.kind](head)
      : null;
  } catch {
    // A damaged header is for the decoder to report.
    return null;
  } finally {
    await file.close();
  }
}

async function headOf(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

/** By what stands in the first bytes of each container that is read here. */
const COUNT: Readonly<Record<OwnContainer, (head: Buffer) => number | null>> = {
  wav(head) {
    for (let at = 12; at + 8 <= head.length; ) {
      const size = head.readUInt32LE(at + 4);
      if (ascii(head.subarray(at, at + 4)) === 'fmt ')
        return readWavFormat(head.subarray(at + 8, at + 8 + size)).channels;
      at += 8 + size + (size % 2);
    }
    return null;
  },
  // STREAMINFO (RFC 9639, 8.2): three bits behind the rate, for one less than there are.
  flac(head) {
    const bits = new BitReader(head.subarray(18));
    bits.unsigned(20);
    return bits.unsigned(3) + 1;
  },
  ogg: opusChannels,
  webm: opusChannels,
  // The header of a frame (ISO 11172-3, 2.4.1.3): its mode is 3 for one channel, less for two.
  mp3(head) {
    let at = ascii(head.subarray(0, 3)) === 'ID3' ? 10 + syncsafe(head.subarray(6, 10)) : 0;
    for (; at + 4 <= head.length; at++)
      if (head[at] === 0xff && (head[at + 1]! & 0xe0) === 0xe0) return head[at + 3]! >> 6 === 3 ? 1 : 2;
    return null;
  },
};

/** The identification header (RFC 7845, 5.1). */
function opusChannels(head: Buffer): number | null {
  const at = head.indexOf('OpusHead');
  return at < 0 ? null : viewOf(head).getUint8(at + 9);
}

/** Four times seven bits (ID3v2.4, 6.2). */
const syncsafe = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
