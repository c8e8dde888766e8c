/** Who listens to what on this node: one broadcast a session, and one wake-up a tenant for the feed. */
import { isDurable, type SessionEvent } from '../domain/event.ts';
import { Broadcast, type Subscription } from '../flow/broadcast.ts';

/** Events that may wait for one slow reader before it is sent to read from the log instead. */
const EVENTS_WAITING = 512;

interface WakeUp {
  readonly happened: Promise<void>;
  readonly wake: () => void;
}

export class Hub {
  readonly #sessions = new Map<string, Broadcast<SessionEvent>>();
  readonly #feeds = new Map<string, WakeUp>();

  /** How many readers follow sessions now. */
  get readers(): number {
    let count = 0;
    for (const room of this.#sessions.values()) count += room.size;
    return count;
  }

  /** Tells everybody who listens. Durable events must be in the log already. */
  publish(tenantId: string, event: SessionEvent): void {
    this.#sessions.get(event.sessionId)?.publish(event);
    if (!isDurable(event)) return;
    this.#feeds.get(tenantId)?.wake();
    this.#feeds.delete(tenantId);
  }

  /** Every event of a session published from now on. */
  listen(sessionId: string): Subscription<SessionEvent> {
    const room = this.#sessions.get(sessionId) ?? new Broadcast<SessionEvent>();
    this.#sessions.set(sessionId, room);
    const place = room.listen(EVENTS_WAITING);
    return {
      [Symbol.asyncIterator]: () => place[Symbol.asyncIterator](),
      stop: () => {
        place.stop();
        if (room.size === 0 && this.#sessions.get(sessionId) === room) this.#sessions.delete(sessionId);
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
