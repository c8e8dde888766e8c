/**
 * Who follows what across the nodes. A session is worked on by one node, and its readers may have come to
 * others: those ask for its events, and go on asking, so that a node that dies is not told for long.
 */
import { isDurable, type SessionEvent } from '../domain/event.ts';
import type { Clock } from '../flow/clock.ts';
import type { Bus, BusMessage } from './bus.ts';

/** How long asking once holds: two times of asking may be lost. */
const HOLD_MS = 30_000;
const ASK_EVERY_MS = 10_000;
/** Sessions remembered of each kind; over it the one that was named longest ago is forgotten. */
const SESSIONS = 10_000;

export interface RelayParts {
  readonly bus: Bus;
  readonly clock: Clock;
  /** An event of a session followed here, told by another node; maybe twice. Not to be published again. */
  readonly deliver: (tenantId: string, event: SessionEvent) => void;
  /** The log of a session followed here has events, up to `seq`, that were not delivered. */
  readonly changed: (sessionId: string, seq: number) => void;
  /** A client has come to another node: the session should go there. */
  readonly take: (sessionId: string, requestId: string) => void;
  /** The session was deleted. */
  readonly cancel: (sessionId: string) => void;
}

interface Followed {
  /** The highest seq heard of; 0 before the first. */
  seq: number;
  stopAsking: () => void;
}

export class Relay {
  readonly #parts: RelayParts;
  readonly #stopHearing: () => void;
  /** Followed here. */
  readonly #here = new Map<string, Followed>();
  /** Followed by other nodes: until when. The first runs out first, since all hold equally long. */
  readonly #elsewhere = new Map<string, number>();
  /** The last seq told of each session that was told of here. */
  readonly #told = new Map<string, number>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#stopHearing = parts.bus.onMessage((message) => this.#hear(message));
  }

  /** Sessions that other nodes follow, of which some may have run out. */
  get followedElsewhere(): number {
    return this.#elsewhere.size;
  }

  /** A session's event was told here: tells those nodes that follow it. */
  publish(tenantId: string, event: SessionEvent): void {
    if (isDurable(event)) remember(this.#told, event.sessionId, event.seq);
    const untilMs = this.#elsewhere.get(event.sessionId);
    if (untilMs === undefined || untilMs <= this.#parts.clock.monotonicMs()) return;
    this.#parts.bus.send({ kind: 'event', tenantId, event });
  }

  /** What was told before is in the log by now, up to `seq`: readers who came in between have not heard of it. */
  stored(sessionId: string, seq: number): void {
    remember(this.#told, sessionId, Math.max(seq, this.#told.get(sessionId) ?? 0));
    if (this.#elsewhere.has(sessionId)) this.#parts.bus.send({ kind: 'changed', sessionId, seq });
  }

  /** Begins to follow a session of any node; asks for its events and goes on asking. Once is enough. */
  follow(sessionId: string): void {
    if (this.#here.has(sessionId)) return;
    const followed: Followed = { seq: 0, stopAsking: () => {} };
    const ask = (): void => {
      this.#parts.bus.send({ kind: 'follow', sessionId });
      followed.stopAsking = this.#parts.clock.after(ASK_EVERY_MS, ask);
    };
    this.#here.set(sessionId, followed);
    ask();
  }

  /** Follows a session no longer, however often it was begun. */
  unfollow(sessionId: string): void {
    this.#here.get(sessionId)?.stopAsking();
    this.#here.delete(sessionId);
  }

  /** Hears and asks nothing more. The bus stays open. */
  close(): void {
    this.#stopHearing();
    for (const sessionId of [...this.#here.keys()]) this.unfollow(sessionId);
  }

  #hear(message: BusMessage): void {
    switch (message.kind) {
      case 'follow':
        this.#tell(message.sessionId);
        break;
      case 'event':
        this.#deliver(message.tenantId, message.event);
        break;
      case 'changed':
        this.#catchUp(message.sessionId, message.seq);
        break;
      case 'take':
        this.#parts.take(message.sessionId, message.requestId);
        break;
      case 'cancel':
        this.#parts.cancel(message.sessionId);
        break;
    }
  }

  /**
   * Somebody asks: it is told from now on, and how far the log is. So whatever a node missed, before its asking
   * arrived or because a message was lost, it hears of when it next asks.
   */
  #tell(sessionId: string): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [id, untilMs] of this.#elsewhere) {
      if (untilMs > nowMs) break;
      this.#elsewhere.delete(id);
    }
    remember(this.#elsewhere, sessionId, nowMs + HOLD_MS);
    const seq = this.#told.get(sessionId);
    if (seq !== undefined) this.#parts.bus.send({ kind: 'changed', sessionId, seq });
  }

  #deliver(tenantId: string, event: SessionEvent): void {
    const followed = this.#here.get(event.sessionId);
    if (!followed) return;
    if (isDurable(event)) followed.seq = Math.max(followed.seq, event.seq);
    this.#parts.deliver(tenantId, event);
  }

  #catchUp(sessionId: string, seq: number): void {
    const followed = this.#here.get(sessionId);
    // Also of what was heard of before: it may not have been in the log then.
    if (!followed || seq < followed.seq) return;
    followed.seq = seq;
    this.#parts.changed(sessionId, seq);
  }
}

/** Sets a value last, and forgets the first where there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > SESSIONS) map.delete(map.keys().next().value!);
}
