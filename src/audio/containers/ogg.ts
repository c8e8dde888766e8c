/** Opus in Ogg (RFC 7845), also several streams one after the other, as a recorder that was restarted makes them. */
import type { Channel } from '../channel.ts';
import { undecodable } from '../undecodable.ts';
import type { ContainerDecoder, Sound } from './decoder.ts';
import { type OggPage, OggPages } from './ogg-pages.ts';
import { OpusStream } from './opus.ts';
import { isOpusHead, packetDuration, readOpusHead } from './opus-head.ts';

/** Packets longer than this are damage, or comments with a picture: neither is sound. */
const MAX_PACKET_BYTES = 65_536;

/** The logical stream being read. Counts at 48 kHz. */
interface Reading {
  readonly serial: number;
  readonly opus: OpusStream;
  /** The comment header, which follows the identification, is not for us. */
  isPastComments: boolean;
  /** The packet begun in the pages so far; null where there is none, or its beginning was lost. */
  begun: Uint8Array | null;
  /** The granule position before the first packet; null until the first page says it. */
  base: number | null;
  decoded: number;
}

export class OggDecoder implements ContainerDecoder {
  readonly #pages = new OggPages();
  readonly #channel: Channel;
  #reading: Reading | null = null;
  #found = false;

  constructor(channel: Channel = null) {
    this.#channel = channel;
  }

  async *decode(bytes: Uint8Array): AsyncGenerator<Sound, void, undefined> {
    for (const page of this.#pages.push(bytes)) {
      const head = page.pieces[0]?.bytes;
      const isFree = this.#reading === null || this.#reading.decoded > 0;
      if (page.isFirst && isFree && head && isOpusHead(head)) await this.#begin(page.serial, head);
      else if (page.serial === this.#reading?.serial) yield* decodePage(this.#reading, page);
    }
  }

  finish(): Iterable<Sound> {
    if (!this.#found) throw undecodable('There is no Opus in the Ogg data.');
    return [];
  }

  free(): void {
    this.#reading?.opus.free();
    this.#reading = null;
  }

  async #begin(serial: number, packet: Uint8Array): Promise<void> {
    this.free();
    const head = readOpusHead(packet);
    this.#found = true;
    this.#reading = {
      serial,
      opus: await OpusStream.open(head, this.#channel),
      isPastComments: false,
      begun: null,
      base: null,
      decoded: 0,
    };
  }
}

function* decodePage(reading: Reading, page: OggPage): Generator<Sound, void, undefined> {
  const packets = packetsOf(reading, page);
  const duration = packets.reduce((sum, packet) => sum + packetDuration(packet), 0);
  if (reading.base === null && page.granule !== null && duration > 0)
    // A stream that was cut out of a longer one begins late (RFC 7845, 4.5); one page that is all there is may
    // say that less of it counts than was coded (4.4).
    reading.base = page.isLast ? 0 : Math.max(0, page.granule - duration);
  const decodedAfter = reading.decoded + duration;
  let discard =
    page.isLast && page.granule !== null && reading.base !== null
      ? Math.max(0, decodedAfter - (page.granule - reading.base))
      : 0;
  const discards = packets.map(() => 0);
  for (let i = packets.length - 1; i >= 0 && discard > 0; i--) {
    discards[i] = Math.min(discard, packetDuration(packets[i]!));
    discard -= discards[i]!;
  }
  for (const [i, packet] of packets.entries()) yield reading.opus.decode(packet, discards[i]);
  reading.decoded = decodedAfter;
}

/** The packets that end in this page, but for the comments. */
function packetsOf(reading: Reading, page: OggPage): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (const [i, piece] of page.pieces.entries()) {
    const isContinued = i === 0 && page.continues;
    const before = isContinued ? reading.begun : new Uint8Array(0);
    reading.begun = null;
    const packet = before && before.length < MAX_PACKET_BYTES ? Buffer.concat([before, piece.bytes]) : null;
    if (!piece.isEnd) reading.begun = packet;
    else if (!reading.isPastComments) reading.isPastComments = true;
    else if (packet) packets.push(packet);
  }
  return packets;
}
