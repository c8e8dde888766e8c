/** One channel of a connection: a live session of ours, whose events are told in Deepgram's words. */
import type { SessionEvent } from '../../domain/event.ts';
import { isDurable } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { EndedBy } from '../../domain/receipt.ts';
import type { SessionRecord } from '../../domain/session.ts';
import type { Directory } from '../../session/directory.ts';
import type { LiveSession } from '../../session/live.ts';
import type { Connection } from '../../session/live-parts.ts';
import { type Socket, settledSoon } from '../socket.ts';
import { type ChannelInput, type ChannelManner, type ChannelState, SILENT, step } from './results.ts';

/** How a channel ended, once all that was said on it has been sent. */
export interface ChannelEnd {
  readonly reason: Failure | 'done';
  readonly receivedMs: number;
}

export class Channel implements Connection {
  readonly record: SessionRecord;
  readonly ended: Promise<ChannelEnd>;
  readonly #session: LiveSession;
  readonly #socket: Socket;
  readonly #manner: ChannelManner;
  #end: (end: ChannelEnd) => void = () => {};
  #state: ChannelState = SILENT;
  /** The seq of the last event that was told. */
  #seen = 0;
  #receivedMs = 0;
  #waiting: { readonly seq: number; readonly tell: () => void }[] = [];
  #following: Promise<void> = Promise.resolve();

  private constructor(session: LiveSession, socket: Socket, manner: ChannelManner) {
    this.record = session.record;
    this.#session = session;
    this.#socket = socket;
    this.#manner = manner;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Takes a session up and begins to tell of it.
   * @throws Failure what {@link Directory.open} throws
   */
  static async open(
    record: SessionRecord,
    socket: Socket,
    manner: ChannelManner,
    directory: Directory,
  ): Promise<Channel> {
    const session = await directory.open(record);
    const channel = new Channel(session, socket, manner);
    await session.attach(channel);
    channel.#following = socket.follow(record.id, 0, (event) => channel.#tell(event));
    channel.#following.catch((error: unknown) => socket.fail(error));
    return channel;
  }

  push(bytes: Uint8Array): Promise<void> {
    return this.#session.push(this, bytes);
  }

  /** The client is there, with nothing to say. */
  keepAlive(): void {
    this.#session.keepAlive(this);
  }

  /** Ends what is being said; the result that answers it is sent once all before it is out. */
  async finalize(): Promise<void> {
    this.#take({ kind: 'finalize', atMs: this.#session.progress().durationMs });
    const { stored } = await this.#session.commit(this);
    void stored.then((seq) => this.#whenSeen(seq, () => this.#take({ kind: 'finalized', seq })));
  }

  /** No more audio. */
  end(endedBy?: EndedBy): Promise<void> {
    return this.#session.end(this, endedBy);
  }

  /** Tells how far it is known that nobody spoke. */
  settle(): void {
    // What is stored and not told yet may have a later word.
    if (this.#seen < this.#session.lastSeq) return;
    this.#take({ kind: 'settled', untilMs: this.#session.progress().processedMs });
  }

  /** @inheritdoc */
  close(reason: Failure | 'done'): void {
    const isLeft = reason !== 'done' && (reason.code === 'replaced' || reason.code === 'shutting_down');
    const told = isLeft ? Promise.resolve() : settledSoon(this.#following);
    void told.then(() => this.#end({ reason, receivedMs: this.#receivedMs }));
  }

  #tell(event: SessionEvent): void {
    if (event.type === 'session.done') this.#receivedMs = event.receipt.receivedMs;
    this.#take({ kind: 'event', event });
    if (!isDurable(event)) return;
    this.#seen = event.seq;
    const due = this.#waiting.filter(({ seq }) => seq <= this.#seen);
    this.#waiting = this.#waiting.filter(({ seq }) => seq > this.#seen);
    for (const { tell } of due) tell();
  }

  #whenSeen(seq: number, tell: () => void): void {
    if (seq <= this.#seen) tell();
    else this.#waiting.push({ seq, tell });
  }

  #take(input: ChannelInput): void {
    const [state, messages] = step(this.#state, input, this.#manner);
    this.#state = state;
    for (const message of messages) this.#socket.send(message);
  }
}
