/** What a decoder thread understands. It serves one stream. */
import type { Channel } from './channel.ts';
import type { OwnContainer } from './sniff.ts';

export interface DecoderThreadData {
  readonly kind: OwnContainer;
  readonly channel: Channel;
}

/** Some of the audio that the bytes so far stand for. */
export interface Decoded {
  /** 16 kHz mono, −1…1. */
  readonly audio: Float32Array;
  /** Whether there is more to be had by asking, without more bytes. */
  readonly more: boolean;
}

export type DecoderApi = {
  /** Takes in the next bytes, or null at their end, once all that the last ones stood for has been fetched. */
  decode(bytes: Uint8Array | null): Decoded;
  /** Goes on decoding what the thread has. */
  more(): Decoded;
};
