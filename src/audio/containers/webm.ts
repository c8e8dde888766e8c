/**
 * Opus in WebM or Matroska (RFC 9559), live from a browser's MediaRecorder or from a file. The first Opus track is
 * read; time codes are not, since a recorder's frames follow one another without a gap.
 */
import type { Channel } from '../channel.ts';
import { undecodable } from '../undecodable.ts';
import { ascii } from './byte-queue.ts';
import type { ContainerDecoder, Sound } from './decoder.ts';
import { childrenOf, EbmlReader, signed, unsigned } from './ebml.ts';
import { OpusStream } from './opus.ts';
import { type OpusHead, readOpusHead } from './opus-head.ts';
import { readBlock } from './webm-block.ts';

const ID = {
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  codec: 0x86,
  codecPrivate: 0x63a2,
  contentEncodings: 0x6d80,
  cluster: 0x1f43b675,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  discardPadding: 0x75a2,
} as const;

const PLAN = {
  enter: new Set<number>([ID.segment, ID.cluster]),
  read: new Set<number>([ID.tracks, ID.simpleBlock, ID.blockGroup]),
};

const NS_PER_SAMPLE_AT_48K = 1e9 / 48_000;

interface Track {
  readonly number: number;
  readonly head: OpusHead;
}

export class WebmDecoder implements ContainerDecoder {
  readonly #elements = new EbmlReader(PLAN);
  readonly #channel: Channel;
  #track: { readonly number: number; readonly opus: OpusStream } | null = null;

  constructor(channel: Channel = null) {
    this.#channel = channel;
  }

  async *decode(bytes: Uint8Array): AsyncGenerator<Sound, void, undefined> {
    for (const { id, body } of this.#elements.push(bytes)) {
      switch (id) {
        case ID.tracks:
          await this.#begin(body);
          break;
        case ID.simpleBlock:
          yield* this.#decodeBlock(body, 0);
          break;
        case ID.blockGroup:
          yield* this.#decodeGroup(body);
          break;
      }
    }
  }

  finish(): Iterable<Sound> {
    if (!this.#track) throw undecodable('The WebM data ends before its tracks are told.');
    return [];
  }

  free(): void {
    this.#track?.opus.free();
    this.#track = null;
  }

  async #begin(tracks: Uint8Array): Promise<void> {
    const { number, head } = opusTrack(tracks);
    this.free();
    this.#track = { number, opus: await OpusStream.open(head, this.#channel) };
  }

  *#decodeGroup(group: Uint8Array): Generator<Sound, void, undefined> {
    let block: Uint8Array | null = null;
    let discardNs = 0;
    for (const { id, body } of childrenOf(group)) {
      if (id === ID.block) block = body;
      else if (id === ID.discardPadding) discardNs = signed(body);
    }
    if (block) yield* this.#decodeBlock(block, Math.max(0, discardNs / NS_PER_SAMPLE_AT_48K));
  }

  /** @param discard Samples at 48 kHz to drop from the end of the block. */
  *#decodeBlock(body: Uint8Array, discard: number): Generator<Sound, void, undefined> {
    const { track, frames } = readBlock(body);
    if (track !== this.#track?.number) return;
    for (const [i, frame] of frames.entries())
      yield this.#track.opus.decode(frame, i === frames.length - 1 ? discard : 0);
  }
}

function opusTrack(tracks: Uint8Array): Track {
  for (const { id, body } of childrenOf(tracks)) {
    if (id !== ID.track) continue;
    const fields = new Map<number, Uint8Array>();
    for (const field of childrenOf(body)) fields.set(field.id, field.body);
    if (ascii(fields.get(ID.codec) ?? new Uint8Array(0)) !== 'A_OPUS') continue;
    if (fields.has(ID.contentEncodings))
      throw undecodable('WebM with packed or encrypted tracks is not supported.');
    const number = unsigned(fields.get(ID.trackNumber) ?? new Uint8Array(0));
    return { number, head: readOpusHead(fields.get(ID.codecPrivate) ?? new Uint8Array(0)) };
  }
  throw undecodable('There is no Opus track in the WebM data.');
}
