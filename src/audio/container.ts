/** A container as it arrives: its first bytes say what it is and so who decodes it. */
import type { Clock } from '../flow/clock.ts';
import type { Channel } from './channel.ts';
import type { AudioDecoder } from './decoder.ts';
import { BoxedDecoder } from './decoder-box.ts';
import { type FfmpegCommand, FfmpegDecoder, type FfmpegSource } from './ffmpeg.ts';
import { type Container, sniff } from './sniff.ts';
import { undecodable } from './undecodable.ts';

/** What decoding needs of the house. */
export interface DecodeParts {
  readonly clock: Clock;
  /** Null where this machine has no ffmpeg. */
  readonly ffmpeg: FfmpegCommand | null;
  /** Audio beyond this fails with `audio_too_long`; no limit where absent. */
  readonly maxDurationMs?: number;
}

export class SniffingDecoder implements AudioDecoder {
  readonly #parts: DecodeParts;
  readonly #channel: Channel;
  #state:
    | { readonly kind: 'sniffing'; readonly head: Uint8Array }
    | { readonly kind: 'decoding'; readonly decoder: AudioDecoder }
    | { readonly kind: 'closed' } = { kind: 'sniffing', head: new Uint8Array(0) };

  constructor(parts: DecodeParts, channel: Channel = null) {
    this.#parts = parts;
    this.#channel = channel;
  }

  async *decode(bytes: Uint8Array | null): AsyncGenerator<Float32Array, void, undefined> {
    if (this.#state.kind === 'sniffing') {
      const head = bytes === null ? this.#state.head : Buffer.concat([this.#state.head, bytes]);
      if (head.length === 0) return;
      const container = sniff(head, bytes === null);
      if (container === 'more') {
        this.#state = { kind: 'sniffing', head };
        return;
      }
      const decoder = decoderOf(container, { kind: 'bytes' }, this.#parts, this.#channel);
      this.#state = { kind: 'decoding', decoder };
      yield* decoder.decode(head);
      if (bytes === null) yield* decoder.decode(null);
    } else if (this.#state.kind === 'decoding') {
      yield* this.#state.decoder.decode(bytes);
    }
  }

  async close(): Promise<void> {
    const before = this.#state;
    this.#state = { kind: 'closed' };
    if (before.kind === 'decoding') await before.decoder.close();
  }
}

/**
 * The decoder for what {@link sniff} found.
 * @throws Failure `audio_undecodable` where that is nothing, or something only a missing ffmpeg reads.
 */
export function decoderOf(
  container: Container | 'more' | null,
  source: FfmpegSource,
  { clock, ffmpeg }: DecodeParts,
  channel: Channel = null,
): AudioDecoder {
  if (container === null || container === 'more')
    throw undecodable('This is no audio we know: send webm, ogg, mp4, mp3, flac or wav.');
  return container.by === 'thread'
    ? new BoxedDecoder(container.kind, clock, { channel })
    : new FfmpegDecoder(ffmpeg, source, container.demuxer, clock, channel);
}
