import type { AudioFormat } from '../domain/options.ts';
import { bytesPerSample } from './audio-format.ts';
import { AudioTail } from './audio-tail.ts';
import { EarshotError } from './error.ts';
import type { Timing } from './timing.ts';

/** More than this in the socket's own buffer, and the rest waits here, where it can be counted. */
const SOCKET_BUFFER_BYTES = 64 * 1024;
/** There is room for more while less than this is unsent. */
const COMFORTABLE_BYTES = 256 * 1024;
const PUMP_EVERY_MS = 20;

interface Outlet {
  readonly bufferedBytes: number;
  send(data: string | Uint8Array): void;
}

/** The sending half of a live stream: audio goes in at any time, and out while there is a connection for it. */
export class Transmitter {
  readonly #timing: Timing;
  readonly #tail: AudioTail;
  /** Null for containers, which cannot be sent again from the middle. */
  readonly #bytesPerSample: number | null;
  #outlet: Outlet | null = null;
  #maxFrameBytes = SOCKET_BUFFER_BYTES;
  #endUnsent = false;
  /** The sample at which this stream's own audio begins: not 0 where it joined a session under way. */
  #baseSample: number | null = null;
  #cancelPump: () => void = () => {};
  #room: { promise: Promise<void>; open: () => void } | null = null;

  constructor(audio: AudioFormat, maxHeldBytes: number, timing: Timing) {
    this.#tail = new AudioTail(maxHeldBytes);
    this.#bytesPerSample = bytesPerSample(audio);
    this.#timing = timing;
  }

  get resumable(): boolean {
    return this.#bytesPerSample !== null;
  }

  /** @throws EarshotError `buffer_full` */
  add(bytes: Uint8Array): void {
    if (!this.#tail.append(bytes))
      throw new EarshotError('buffer_full', `${this.#tail.unsentBytes} bytes of audio wait to be sent`);
    this.#pump();
  }

  commit(): void {
    this.#tail.commit();
    this.#pump();
  }

  /** Sends `audio.end` once all audio is out. */
  end(): void {
    this.#endUnsent = true;
    this.#pump();
  }

  /** Resolves when there is room for more audio, or when `stop()` says that there never will be. */
  async room(): Promise<void> {
    if (this.#tail.unsentBytes < COMFORTABLE_BYTES) return;
    if (!this.#room) {
      let open = () => {};
      const promise = new Promise<void>((resolve) => {
        open = resolve;
      });
      this.#room = { promise, open };
    }
    await this.#room.promise;
  }

  /** Sends from `sample` on, through a fresh connection; false where that sample is no longer held. */
  start(outlet: Outlet, sample: number, maxFrameBytes: number): boolean {
    this.#baseSample ??= sample;
    if (!this.#tail.rewind(this.#byteOf(sample))) return false;
    this.#outlet = outlet;
    this.#maxFrameBytes = Math.min(maxFrameBytes, SOCKET_BUFFER_BYTES);
    this.#pump();
    return true;
  }

  /** The connection is gone; another may follow. */
  pause(): void {
    this.#outlet = null;
    this.#endUnsent = false;
    this.#cancelPump();
  }

  /** Nothing more will be sent. */
  stop(): void {
    this.pause();
    this.#openRoom();
  }

  /** Audio before this sample will never be asked for again. */
  committed(sample: number): void {
    this.#tail.forget(this.#byteOf(sample));
  }

  #byteOf(sample: number): number {
    return (sample - (this.#baseSample ?? 0)) * (this.#bytesPerSample ?? 1);
  }

  #openRoom(): void {
    this.#room?.open();
    this.#room = null;
  }

  /** Sends what is held, as fast as the socket takes it. */
  #pump(): void {
    const outlet = this.#outlet;
    if (!outlet) return;
    while (outlet.bufferedBytes < SOCKET_BUFFER_BYTES) {
      const piece = this.#tail.take(this.#maxFrameBytes);
      if (piece === null) {
        if (this.#endUnsent) outlet.send('{"type":"audio.end"}');
        this.#endUnsent = false;
        break;
      }
      outlet.send(piece === 'commit' ? '{"type":"utterance.commit"}' : piece);
    }
    // What cannot be sent again need not be kept.
    if (!this.resumable) this.#tail.forget(Number.POSITIVE_INFINITY);
    // Nothing tells when a browser's socket has drained: it has to be looked at.
    this.#cancelPump();
    if (this.#tail.unsentBytes > 0 || this.#endUnsent)
      this.#cancelPump = this.#timing.after(PUMP_EVERY_MS, () => this.#pump());
    if (this.#tail.unsentBytes < COMFORTABLE_BYTES) this.#openRoom();
  }
}
