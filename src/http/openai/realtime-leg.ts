/**
 * One of our sessions under a Realtime connection. A connection has one at a time, and another after it where the client
 * changes what a session cannot change, or was silent for so long that the session ended.
 */
import type { SessionEvent } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { SessionOptions } from '../../domain/options.ts';
import type { Connection } from '../../session/live-parts.ts';
import { Followed } from '../followed.ts';
import type { HttpParts } from '../parts.ts';
import { type Socket, settledSoon } from '../socket.ts';
import type { ItemsInput } from './realtime-items-state.ts';

/** The connection, as its session sees it. */
export interface LegOwner {
  /** Something was heard; positions count from the connection's first sample. */
  heard(input: ItemsInput): void;
  /** The session is over, and not because it was asked to end. */
  over(reason: Failure): void;
}

/** Where it begins and for whom. */
export interface LegStart {
  readonly tenantId: string;
  readonly options: SessionOptions;
  /** Of all audio written over the connection before. */
  readonly fromMs: number;
}

export class RealtimeLeg implements Connection {
  readonly #start: LegStart;
  readonly #owner: LegOwner;
  /** There once it is open. */
  #followed!: Followed;
  #bytes = 0;

  private constructor(start: LegStart, owner: LegOwner) {
    this.#start = start;
    this.#owner = owner;
  }

  /** Creates a session and begins to follow it. @throws Failure such as `overloaded` */
  static async open(
    start: LegStart,
    owner: LegOwner,
    socket: Socket,
    parts: HttpParts,
  ): Promise<RealtimeLeg> {
    const leg = new RealtimeLeg(start, owner);
    leg.#followed = await Followed.open(start, leg, (event) => leg.#see(event), socket, parts);
    return leg;
  }

  /** Whether it takes audio: not so once it ended, because of silence or at its longest. */
  get takesAudio(): boolean {
    return this.#followed.session.holds(this);
  }

  /** Where the audio stands. */
  get positionMs(): number {
    const { encoding, sampleRateHz } = this.#start.options.audio;
    const bytesPerSample = encoding === 'pcm_s16le' ? 2 : 1;
    return this.#start.fromMs + (this.#bytes / bytesPerSample / sampleRateHz) * 1000;
  }

  /** Takes audio, waiting while there is more than enough to work on. */
  async push(audio: Uint8Array): Promise<void> {
    this.#bytes += audio.length;
    await this.#followed.session.push(this, audio);
  }

  /** Ends the open utterance; `settled` is heard once all that was said before has been. */
  async commit(): Promise<void> {
    const { stored } = await this.#followed.session.commit(this);
    void stored.then((seq) => this.#followed.whenSeen(seq, () => this.#owner.heard({ kind: 'settled' })));
  }

  /** Drops the open utterance. */
  async clear(): Promise<void> {
    await this.#followed.session.discard(this);
  }

  /** No more audio: resolves when all has been heard and stored. */
  async end(): Promise<void> {
    await this.#followed.session.end(this);
    await settledSoon(this.#followed.following);
  }

  /** Resolves when all that is stored by now has been heard. */
  async caughtUp(): Promise<void> {
    const { session } = this.#followed;
    await settledSoon(new Promise<void>((resolve) => this.#followed.whenSeen(session.lastSeq, resolve)));
  }

  /** @inheritdoc */
  close(reason: Failure | 'done'): void {
    // A client that paused goes on in another session.
    if (reason !== 'done' && reason.code !== 'idle_timeout') this.#owner.over(reason);
  }

  #see(event: SessionEvent): void {
    const input = this.#inputOf(event);
    if (input) this.#owner.heard(input);
  }

  #inputOf(event: SessionEvent): ItemsInput | null {
    const at = (ms: number): number => Math.round(this.#start.fromMs + ms);
    switch (event.type) {
      case 'speech.started':
        return { kind: 'started', utteranceId: event.utteranceId, startMs: at(event.startMs) };
      case 'transcript.partial': {
        const { utteranceId, startMs, endMs, text, stableChars } = event;
        const stable = text.slice(0, stableChars);
        return { kind: 'partial', utteranceId, startMs: at(startMs), endMs: at(endMs), stable };
      }
      case 'transcript.final': {
        const { utteranceId, startMs, endMs, text, language } = event;
        return { kind: 'final', utteranceId, startMs: at(startMs), endMs: at(endMs), text, language };
      }
      case 'transcript.suppressed': {
        const { utteranceId, startMs, endMs } = event;
        return { kind: 'suppressed', utteranceId, startMs: at(startMs), endMs: at(endMs) };
      }
      case 'session.failed':
        return { kind: 'broken', error: event.error };
      case 'session.started':
      case 'session.done':
      case 'session.sent':
      case 'session.progress':
      case 'llm.token':
      case 'llm.done':
      case 'llm.failed':
        return null;
    }
  }
}
