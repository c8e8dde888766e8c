/** One channel of a connection: a live session of ours, whose events are told in Deepgram's words. */
import type { SessionEvent } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { SessionOptions } from '../../domain/options.ts';
import type { EndedBy } from '../../domain/receipt.ts';
import type { Connection } from '../../session/live-parts.ts';
import { Followed } from '../followed.ts';
import type { HttpParts } from '../parts.ts';
import { type Socket, settledSoon } from '../socket.ts';
import { type ChannelInput, type ChannelManner, type ChannelState, SILENT, step } from './results.ts';

/** How a channel ended, once all that was said on it has been sent. */
export interface ChannelEnd {
  readonly reason: Failure | 'done';
  readonly receivedMs: number;
}

export class Channel implements Connection {
  readonly ended: Promise<ChannelEnd>;
  readonly #socket: Socket;
  readonly #manner: ChannelManner;
  /** There once it is open. */
  #followed!: Followed;
  #end: (end: ChannelEnd) => void = () => {};
  #state: ChannelState = SILENT;
  #receivedMs = 0;

  private constructor(socket: Socket, manner: ChannelManner) {
    this.#socket = socket;
    this.#manner = manner;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Opens a session and begins to tell of it.
   * @throws Failure what {@link Followed.open} throws
   */
  static async open(
    of: { readonly tenantId: string; readonly options: SessionOptions },
    socket: Socket,
    manner: ChannelManner,
    parts: HttpParts,
  ): Promise<Channel> {
    const channel = new Channel(socket, manner);
    channel.#followed = await Followed.open(of, channel, (event) => channel.#tell(event), socket, parts);
    return channel;
  }

  /** When it was created, ISO 8601. */
  get createdAt(): string {
    return this.#followed.session.record.createdAt;
  }

  push(bytes: Uint8Array): Promise<void> {
    return this.#followed.session.push(this, bytes);
  }

  /** The client is there, with nothing to say. */
  keepAlive(): void {
    this.#followed.session.keepAlive(this);
  }

  /** Ends what is being said; the result that answers it is sent once all before it is out. */
  async finalize(): Promise<void> {
    const { session } = this.#followed;
    this.#take({ kind: 'finalize', atMs: session.progress().durationMs });
    const { stored } = await session.commit(this);
    void stored.then((seq) => this.#followed.whenSeen(seq, () => this.#take({ kind: 'finalized', seq })));
  }

  /** No more audio. */
  end(endedBy?: EndedBy): Promise<void> {
    return this.#followed.session.end(this, endedBy);
  }

  /** Tells how far it is known that nobody spoke. */
  settle(): void {
    // What is stored and not told yet may have a later word.
    if (!this.#followed.isCaughtUp) return;
    this.#take({ kind: 'settled', untilMs: this.#followed.session.progress().processedMs });
  }

  /** @inheritdoc */
  close(reason: Failure | 'done'): void {
    const isLeft = reason !== 'done' && (reason.code === 'replaced' || reason.code === 'shutting_down');
    // It may end before it is all open.
    const told = isLeft ? Promise.resolve() : settledSoon(this.#followed?.following ?? Promise.resolve());
    void told.then(() => this.#end({ reason, receivedMs: this.#receivedMs }));
  }

  #tell(event: SessionEvent): void {
    if (event.type === 'session.done') this.#receivedMs = event.receipt.receivedMs;
    this.#take({ kind: 'event', event });
  }

  #take(input: ChannelInput): void {
    const [state, messages] = step(this.#state, input, this.#manner);
    this.#state = state;
    for (const message of messages) this.#socket.send(message);
  }
}
