/** FLAC (RFC 9639) as a stream: damaged frames are left out, and reading goes on at the next good one. */
import type { Channel } from '../channel.ts';
import { undecodable } from '../undecodable.ts';
import { OutOfBits } from './bit-reader.ts';
import { ascii, ByteQueue, viewOf } from './byte-queue.ts';
import type { ContainerDecoder, Sound } from './decoder.ts';
import { type FlacFrame, readFrame } from './flac-frame.ts';
import { DamagedFrame } from './flac-frame-error.ts';
import { type FlacStreamInfo, readStreamInfo } from './flac-header.ts';

const MARKER = 'fLaC';
const BLOCK_HEADER_BYTES = 4;
const STREAM_INFO_BYTES = 34;
/** The largest frame there can be: 65,535 samples of eight channels, as they are, and its headers. */
const MAX_FRAME_BYTES = 65_536 * 8 * 4;
/** So many bytes without a good frame are no FLAC stream. */
const MAX_LOST_BYTES = 2 * MAX_FRAME_BYTES;
/** An unfinished frame is looked at again when so much more has come: looking costs as much as decoding. */
const LOOK_AGAIN_BYTES = 2_048;

type State =
  | { readonly kind: 'marker' }
  | { readonly kind: 'metadata'; readonly info: FlacStreamInfo | null }
  | { readonly kind: 'frames'; readonly info: FlacStreamInfo };

export class FlacDecoder implements ContainerDecoder {
  readonly #bytes = new ByteQueue();
  readonly #channel: Channel;
  #state: State = { kind: 'marker' };
  #lost = 0;
  #lookAt = 0;

  constructor(channel: Channel = null) {
    this.#channel = channel;
  }

  async *decode(bytes: Uint8Array): AsyncGenerator<Sound, void, undefined> {
    this.#bytes.push(bytes);
    while (this.#state.kind !== 'frames') if (!this.#readMetadata(this.#state)) return;
    if (this.#bytes.length < this.#lookAt) return;
    this.#lookAt = 0;
    yield* this.#frames(this.#state.info, false);
    this.#lookAt = this.#bytes.length + Math.max(LOOK_AGAIN_BYTES, this.#bytes.length / 4);
  }

  *finish(): Generator<Sound, void, undefined> {
    if (this.#state.kind !== 'frames') throw undecodable('The FLAC data ends before its samples begin.');
    yield* this.#frames(this.#state.info, true);
  }

  free(): void {}

  /** Reads one block of metadata; false where it has not arrived yet. */
  #readMetadata(state: Exclude<State, { kind: 'frames' }>): boolean {
    if (state.kind === 'marker') {
      const marker = this.#bytes.take(MARKER.length);
      if (!marker) return false;
      if (ascii(marker) !== MARKER) throw undecodable('This is no FLAC data.');
      this.#state = { kind: 'metadata', info: null };
      return true;
    }
    const header = this.#bytes.peek(BLOCK_HEADER_BYTES);
    if (!header) return false;
    const word = viewOf(header).getUint32(0);
    const [isLast, type, size] = [word >>> 31 === 1, (word >>> 24) & 0x7f, word & 0xffffff];
    let { info } = state;
    if (type === 0) {
      const block = this.#bytes.peek(BLOCK_HEADER_BYTES + STREAM_INFO_BYTES);
      if (!block) return false;
      info = readStreamInfo(block.subarray(BLOCK_HEADER_BYTES));
    }
    if (!info) throw undecodable('The FLAC data does not begin with its header.');
    this.#bytes.skip(BLOCK_HEADER_BYTES + size);
    this.#state = isLast ? { kind: 'frames', info } : { kind: 'metadata', info };
    return true;
  }

  /** All frames that are there. At the end, what is unfinished will stay so, and hides nothing behind it. */
  *#frames(info: FlacStreamInfo, isEnd: boolean): Generator<Sound, void, undefined> {
    while (this.#bytes.length > 0) {
      const frame = this.#nextFrame(info);
      if (frame === 'incomplete' && !isEnd) return;
      if (frame === 'incomplete' || frame === 'damaged') {
        this.#skipToSync();
      } else {
        this.#bytes.skip(frame.length);
        this.#lost = 0;
        yield frame;
      }
    }
  }

  #nextFrame(info: FlacStreamInfo): FlacFrame | 'incomplete' | 'damaged' {
    try {
      return readFrame(this.#bytes.peek(this.#bytes.length)!, info, this.#channel);
    } catch (error) {
      if (error instanceof DamagedFrame) return 'damaged';
      if (!(error instanceof OutOfBits)) throw error;
      return this.#bytes.length > MAX_FRAME_BYTES ? 'damaged' : 'incomplete';
    }
  }

  /** Goes on at the next byte that may begin a frame. */
  #skipToSync(): void {
    const rest = this.#bytes.peek(this.#bytes.length)!;
    const next = rest.indexOf(0xff, 1);
    const count = next < 0 ? rest.length : next;
    this.#bytes.skip(count);
    this.#lost += count;
    if (this.#lost > MAX_LOST_BYTES) throw undecodable('The FLAC data is damaged.');
  }
}
