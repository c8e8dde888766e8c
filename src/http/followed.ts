/** One of our sessions as another vendor's face has it: opened, held by its connection, and followed from the beginning. */
import { isDurable, type SessionEvent } from '../domain/event.ts';
import type { SessionOptions } from '../domain/options.ts';
import type { LiveSession } from '../session/live.ts';
import type { Connection } from '../session/live-parts.ts';
import type { HttpParts } from './parts.ts';
import type { Socket } from './socket.ts';

export class Followed {
  readonly session: LiveSession;
  /** Settles when the session has no more events for this connection. */
  readonly following: Promise<void>;
  #seenSeq = 0;
  /** Those who wait for an event to have been seen, in its order. */
  #waiting: { readonly seq: number; readonly tell: () => void }[] = [];

  private constructor(session: LiveSession, socket: Socket, see: (event: SessionEvent) => void) {
    this.session = session;
    this.following = socket.follow(session.record.id, 0, (event) => {
      see(event);
      if (isDurable(event)) this.#saw(event.seq);
    });
    this.following.catch((error: unknown) => socket.fail(error));
  }

  /**
   * Creates a session, takes hold of it and follows it.
   * @param holder On whose behalf it is held.
   * @param see Told of every event, in order.
   * @throws Failure what {@link Directory.open} throws
   */
  static async open(
    { tenantId, options }: { readonly tenantId: string; readonly options: SessionOptions },
    holder: Connection,
    see: (event: SessionEvent) => void,
    socket: Socket,
    { store, directory, abilities, newId }: HttpParts,
  ): Promise<Followed> {
    directory.admit();
    const model = abilities.modelName;
    const session = { id: newId('ses'), tenantId, source: 'live', options, model, durationMs: null } as const;
    const live = await directory.open(await store.sessions.create(session));
    await live.attach(holder);
    return new Followed(live, socket, see);
  }

  /** Whether all that is stored by now has been seen. */
  get isCaughtUp(): boolean {
    return this.#seenSeq >= this.session.lastSeq;
  }

  /** Calls back once the event with this seq has been seen, at once where it has. */
  whenSeen(seq: number, tell: () => void): void {
    if (seq <= this.#seenSeq) tell();
    else this.#waiting.push({ seq, tell });
  }

  #saw(seq: number): void {
    this.#seenSeq = seq;
    const due = this.#waiting.filter((one) => one.seq <= seq);
    this.#waiting = this.#waiting.filter((one) => one.seq > seq);
    for (const { tell } of due) tell();
  }
}
