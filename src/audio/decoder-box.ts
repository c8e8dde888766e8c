/**
 * Decoders run boxed: foreign bytes meet codecs in a worker thread of their own, with a limit on its time and
 * memory. A crash, a hang or a blow-up ends that thread and fails that stream; nobody else notices.
 */
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { Thread, threadEntry } from '../flow/thread.ts';
import type { Channel } from './channel.ts';
import type { AudioDecoder } from './decoder.ts';
import type { Decoded, DecoderApi, DecoderThreadData } from './decoder-protocol.ts';
import type { OwnContainer } from './sniff.ts';
import { undecodable } from './undecodable.ts';

/** A step decodes half a second in a few milliseconds; the rest is patience with a busy machine. */
const STEP_LIMIT_MS = 15_000;
const MAX_OLD_SPACE_MB = 96;
/** Bytes handed over at a time. */
const FEED_BYTES = 65_536;

interface BoxSettings {
  readonly channel?: Channel;
  /** What the thread runs. */
  readonly entry?: URL;
}

export class BoxedDecoder implements AudioDecoder {
  readonly #thread: Thread<DecoderApi>;
  readonly #clock: Clock;

  constructor(
    kind: OwnContainer,
    clock: Clock,
    { channel = null, entry = threadEntry(import.meta.url, './decoder-worker.js') }: BoxSettings = {},
  ) {
    const data: DecoderThreadData = { kind, channel };
    this.#thread = new Thread(entry, { name: `${kind} decoder`, data, maxOldSpaceMb: MAX_OLD_SPACE_MB });
    this.#clock = clock;
  }

  async *decode(bytes: Uint8Array | null): AsyncGenerator<Float32Array, void, undefined> {
    if (bytes === null) yield* this.#drain(await this.#within(this.#thread.call('decode', [null])));
    else
      for (let at = 0; at < bytes.length; at += FEED_BYTES) {
        // A copy: a view would take along the whole buffer behind it.
        const piece = new Uint8Array(bytes.subarray(at, at + FEED_BYTES));
        yield* this.#drain(
          await this.#within(this.#thread.call('decode', [piece], { transfer: [piece.buffer] })),
        );
      }
  }

  close(): Promise<void> {
    return this.#thread.close(0);
  }

  async *#drain(first: Decoded): AsyncGenerator<Float32Array, void, undefined> {
    for (let step = first; ; step = await this.#within(this.#thread.call('more', []))) {
      if (step.audio.length > 0) yield step.audio;
      if (!step.more) return;
    }
  }

  async #within(step: Promise<Decoded>): Promise<Decoded> {
    let isLate = false;
    const cancel = this.#clock.after(STEP_LIMIT_MS, () => {
      isLate = true;
      void this.#thread.close(0);
    });
    try {
      return await step;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw undecodable(isLate ? 'Decoding the audio took too long.' : 'The audio is damaged.', error);
    } finally {
      cancel();
    }
  }
}
