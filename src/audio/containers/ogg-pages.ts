/**
 * Ogg pages (RFC 3533) out of bytes in any split. Every page carries a checksum: what does not check out is
 * skipped, and reading goes on at the next page that does.
 */
import { undecodable } from '../undecodable.ts';
import { ByteQueue, viewOf } from './byte-queue.ts';

export interface OggPage {
  readonly serial: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** The codec's count of samples at the end of the page; null where no packet ends in it. */
  readonly granule: number | null;
  /** Whether the first segment goes on with a packet of the page before. */
  readonly continues: boolean;
  /** The pieces of packets in it. Only the last may be unfinished. */
  readonly pieces: readonly OggPiece[];
}

export interface OggPiece {
  readonly bytes: Uint8Array;
  /** Whether the packet ends here. */
  readonly isEnd: boolean;
}

const HEADER_BYTES = 27;
const CAPTURE_PATTERN = 0x4f676753;
/** So many bytes without one good page are no Ogg stream. */
const MAX_LOST_BYTES = 1_048_576;

/** CRC-32 with polynomial 0x04C11DB7, not reflected, starting from 0 (RFC 3533, 6.7). */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

function checksum(page: Uint8Array): number {
  let crc = 0;
  for (let i = 0; i < page.length; i++) {
    // The checksum's own place counts as zero.
    const byte = i >= 22 && i < 26 ? 0 : page[i]!;
    crc = (crc << 8) ^ CRC[(crc >>> 24) ^ byte]!;
  }
  return crc >>> 0;
}

export class OggPages {
  readonly #bytes = new ByteQueue();
  #lost = 0;

  /** The pages that `bytes` complete. */
  *push(bytes: Uint8Array): Generator<OggPage, void, undefined> {
    this.#bytes.push(bytes);
    while (true) {
      const page = this.#next();
      if (page === 'incomplete') return;
      if (page !== 'lost') yield page;
    }
  }

  #next(): OggPage | 'incomplete' | 'lost' {
    const header = this.#bytes.peek(HEADER_BYTES);
    if (!header) return 'incomplete';
    const segments = header[26]!;
    if (viewOf(header).getUint32(0) !== CAPTURE_PATTERN || header[4] !== 0) return this.#lose();
    const table = this.#bytes.peek(HEADER_BYTES + segments)?.subarray(HEADER_BYTES);
    if (!table) return 'incomplete';
    const length = table.reduce((sum, segment) => sum + segment, HEADER_BYTES + segments);
    const page = this.#bytes.peek(length);
    if (!page) return 'incomplete';
    if (checksum(page) !== viewOf(page).getUint32(22, true)) return this.#lose();
    this.#bytes.skip(length);
    this.#lost = 0;
    return readPage(page, segments);
  }

  #lose(): 'lost' {
    this.#bytes.skip(1);
    this.#lost++;
    if (this.#lost > MAX_LOST_BYTES) throw undecodable('The Ogg data is damaged.');
    return 'lost';
  }
}

function readPage(page: Uint8Array, segments: number): OggPage {
  const view = viewOf(page);
  const flags = page[5]!;
  const granule = view.getBigInt64(6, true);
  const pieces: OggPiece[] = [];
  let start = HEADER_BYTES + segments;
  let end = start;
  for (let i = 0; i < segments; i++) {
    const segment = page[HEADER_BYTES + i]!;
    end += segment;
    // A full segment says that the packet goes on in the next one.
    const isEnd = segment < 255;
    if (!isEnd && i < segments - 1) continue;
    pieces.push({ bytes: page.slice(start, end), isEnd });
    start = end;
  }
  return {
    serial: view.getUint32(14, true),
    continues: (flags & 1) !== 0,
    isFirst: (flags & 2) !== 0,
    isLast: (flags & 4) !== 0,
    granule: granule < 0n ? null : Number(granule),
    pieces,
  };
}
