/**
 * Who listens to what on this node: one broadcast a session, and one wake-up a tenant for the feed. What other nodes tell
 * comes in here, and what is told here goes out to those that follow it.
 */
import pLimit from 'p-limit';
import { isDurable, type SessionEvent } from '../domain/event.ts';
import { Broadcast, type Subscription } from '../flow/broadcast.ts';

/** The other nodes, as the hub sees them. */
export interface OtherNodes {
  /** An event was told here. */
  publish(tenantId: string, event: SessionEvent): void;
  /** Somebody here follows a session, wherever it is worked on; the first of them, or no longer anybody. */
  follow(sessionId: string): void;
  unfollow(sessionId: string): void;
}

/** Said in the place of events that were not heard here: the log has them, or soon will, up to this seq. */
export interface LookAgain {
  readonly type: 'look again';
  readonly seq: number;
}

/** What a listener is handed. */
export type Heard = SessionEvent | LookAgain;

const ALONE: OtherNodes = { publish: () => {}, follow: () => {}, unfollow: () => {} };

/** Events that may wait for one slow reader before it is sent to read from the log instead. */
const EVENTS_WAITING = 512;

/**
 * Pages of the log read at a time by those who catch up. However many come back at once, the connections of the database
 * are for those who speak.
 */
const PAGES_AT_ONCE = 2;

interface WakeUp {
  readonly happened: Promise<void>;
  readonly wake: () => void;
}

export class Hub {
  readonly #sessions = new Map<string, Broadcast<Heard>>();
  readonly #feeds = new Map<string, WakeUp>();
  readonly #pages = pLimit(PAGES_AT_ONCE);
  #others: OtherNodes = ALONE;

  /** Joins the other nodes, once: what is told from now on goes out to them. */
  join(others: OtherNodes): void {
    this.#others = others;
  }

  /** How many readers follow sessions now. */
  get readers(): number {
    let count = 0;
    for (const room of this.#sessions.values()) count += room.size;
    return count;
  }

  /** Tells everybody who listens, on all nodes. Durable events must be in the log already. */
  publish(tenantId: string, event: SessionEvent): void {
    this.deliver(tenantId, event);
    this.#others.publish(tenantId, event);
  }

  /** Tells everybody who listens here. */
  deliver(tenantId: string, event: SessionEvent): void {
    this.#sessions.get(event.sessionId)?.publish(event);
    if (!isDurable(event)) return;
    this.#feeds.get(tenantId)?.wake();
    this.#feeds.delete(tenantId);
  }

  /** Sends everybody who follows a session here to its log: events up to `seq` were stored, and not all told here. */
  lookAgain(sessionId: string, seq: number): void {
    this.#sessions.get(sessionId)?.publish({ type: 'look again', seq });
  }

  /** Every event of a session published from now on. */
  listen(sessionId: string): Subscription<Heard> {
    const room = this.#sessions.get(sessionId) ?? new Broadcast<Heard>();
    if (!this.#sessions.has(sessionId)) this.#others.follow(sessionId);
    this.#sessions.set(sessionId, room);
    const place = room.listen(EVENTS_WAITING);
    return {
      [Symbol.asyncIterator]: () => place[Symbol.asyncIterator](),
      stop: () => {
        place.stop();
        if (room.size > 0 || this.#sessions.get(sessionId) !== room) return;
        this.#sessions.delete(sessionId);
        this.#others.unfollow(sessionId);
      },
    };
  }

  /** Resolves when some session of the tenant next gets a durable event on this node. A hint, nothing more. */
  nextInFeed(tenantId: string): Promise<void> {
    let waiting = this.#feeds.get(tenantId);
    if (!waiting) {
      const { promise: happened, resolve: wake } = withResolvers();
      waiting = { happened, wake };
      this.#feeds.set(tenantId, waiting);
    }
    return waiting.happened;
  }

  /**
   * Reads a page of the log when it is this reader's turn: whoever asked first.
   * @throws The signal's reason where the reader was gone by then.
   */
  readPage<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#pages(() => {
      signal.throwIfAborted();
      return read();
    });
  }

  /** Ends everybody who follows a session, after what they hold. */
  end(sessionId: string): void {
    this.#sessions.get(sessionId)?.close();
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
