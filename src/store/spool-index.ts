/** Where in the spool's files everything lies that waits. Lines are counted here, and stay on disk. */
import type { DurableType } from '../domain/event.ts';
import type { SpoolEntry } from './spool-line.ts';
import type { SpoolSegment } from './spool-segment.ts';

/** What goes together at most, but for an entry that alone is more. */
const MAX_HEAD_EVENTS = 200;
const MAX_HEAD_BYTES = 1024 * 1024;

/** Where a line lies, and which events are in it. */
export interface Place {
  readonly segment: SpoolSegment;
  readonly offset: number;
  readonly length: number;
  readonly fence: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** The last event of a session that waits. */
export interface Tail {
  readonly fence: number;
  readonly seq: number;
  readonly type: DurableType;
}

/** The first places that can go together: of one claim, without a hole. */
function leading(places: readonly Place[]): Place[] {
  const first = places[0]!;
  let [count, bytes] = [1, first.length];
  for (; count < places.length; count++) {
    const [before, next] = [places[count - 1]!, places[count]!];
    bytes += next.length;
    if (next.fence !== first.fence || next.firstSeq !== before.lastSeq + 1) break;
    if (next.lastSeq - first.firstSeq >= MAX_HEAD_EVENTS || bytes > MAX_HEAD_BYTES) break;
  }
  return places.slice(0, count);
}

export class SpoolIndex {
  /** In the order of their turns. */
  readonly #sessions = new Map<string, { readonly places: Place[]; tail: Tail }>();
  #size = 0;
  #waiting = 0;

  /** Bytes that wait. */
  get size(): number {
    return this.#size;
  }

  /** Entries that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Sessions of which something waits. */
  get sessions(): number {
    return this.#sessions.size;
  }

  has(sessionId: string): boolean {
    return this.#sessions.has(sessionId);
  }

  tailOf(sessionId: string): Tail | null {
    return this.#sessions.get(sessionId)?.tail ?? null;
  }

  /** Puts an entry behind all others of its session, and a session that had none behind all others. */
  add({ sessionId, fence, events }: SpoolEntry, segment: SpoolSegment, offset: number, length: number): void {
    const [first, last] = [events[0]!, events.at(-1)!];
    const tail = { fence, seq: last.seq, type: last.type };
    const place = { segment, offset, length, fence, firstSeq: first.seq, lastSeq: last.seq };
    const session = this.#sessions.get(sessionId);
    if (session) {
      session.places.push(place);
      session.tail = tail;
    } else this.#sessions.set(sessionId, { places: [place], tail });
    segment.waiting++;
    this.#waiting++;
    this.#size += length;
  }

  /** The session whose turn it is, with the first of what waits of it; null where nothing waits. */
  next(): { readonly sessionId: string; readonly places: readonly Place[] } | null {
    for (const [sessionId, { places }] of this.#sessions) return { sessionId, places: leading(places) };
    return null;
  }

  /** Takes some places out of a session's; true where a segment has nothing left that waits. */
  remove(sessionId: string, from: number, count: number): boolean {
    const { places } = this.#sessions.get(sessionId)!;
    const removed = places.splice(from, count);
    if (places.length === 0) this.#sessions.delete(sessionId);
    for (const { segment, length } of removed) {
      segment.waiting--;
      this.#waiting--;
      this.#size -= length;
    }
    return removed.some(({ segment }) => segment.waiting === 0);
  }

  /** Lets all other sessions go before this one. */
  postpone(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (!session) return;
    this.#sessions.delete(sessionId);
    this.#sessions.set(sessionId, session);
  }
}
