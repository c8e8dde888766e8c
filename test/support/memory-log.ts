/** A log of events in memory that keeps `EventLog`'s word, over connections that fail as told. */
import type { DurableDraft, DurableEvent } from '../../src/domain/event.ts';
import { Failure } from '../../src/domain/failure.ts';
import { hasEnded, nextState, type SessionState } from '../../src/domain/session.ts';
import { bodyOf, eventOf } from '../../src/store/event-row.ts';
import { storageUnavailable } from '../../src/store/storage-failure.ts';
import type { EventLog, Turn } from '../../src/store/store.ts';

/** `mute`: does what it is asked to, and no answer arrives. `full`: there is no room. */
export type Weather = 'up' | 'down' | 'mute' | 'full';

/** A connection to the log; once cut, it leaves everything unanswered, as seen by a process that was killed. */
export type Connection = EventLog & { cut(): void };

interface Session {
  fence: number;
  state: SessionState;
  events: DurableEvent[];
}

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An event's draft. */
const draftOf = ({ sessionId: _, seq: __, at: ___, ...draft }: DurableEvent) => draft as DurableDraft;

const isSame = (a: DurableEvent, b: DurableEvent): boolean =>
  a.type === b.type && bodyOf(draftOf(a)) === bodyOf(draftOf(b));

export class MemoryLog {
  weather: Weather = 'up';
  /** Everything that was asked of it, e.g. `append a 1-2`. */
  readonly calls: string[] = [];
  /** What writing to a session fails with. */
  readonly refusals = new Map<string, Error>();
  readonly #held = new Map<string, Promise<void>>();
  readonly #sessions = new Map<string, Session>();

  /** Makes a session, claimed with fence 1. */
  create(sessionId: string): void {
    this.#sessions.set(sessionId, { fence: 1, state: 'PENDING', events: [] });
  }

  delete(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }

  /** Claims a session anew; its fence. */
  claim(sessionId: string): number {
    return ++this.#sessions.get(sessionId)!.fence;
  }

  eventsOf(sessionId: string): readonly DurableEvent[] {
    return this.#sessions.get(sessionId)?.events ?? [];
  }

  /** What is asked about a session from now on waits until the returned function is called. */
  hold(sessionId: string): () => void {
    let open = () => {};
    const held = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#held.set(sessionId, held);
    return () => {
      this.#held.delete(sessionId);
      open();
    };
  }

  connect(): Connection {
    let isCut = false;
    const ask = async <T>(sessionId: string, what: string, work: () => T): Promise<T> => {
      this.calls.push(what);
      const held = this.#held.get(sessionId);
      await turnOfTheLoop();
      await held;
      if (isCut) await new Promise<never>(() => {});
      if (this.weather === 'down') throw storageUnavailable(new Error('down'));
      if (this.weather === 'full' && !what.startsWith('read')) throw new Failure('storage_full', 'no room');
      const { weather } = this;
      const result = work();
      await turnOfTheLoop();
      if (isCut) await new Promise<never>(() => {});
      if (weather === 'mute') throw storageUnavailable(new Error('no answer'));
      return result;
    };
    return {
      append: (sessionId, drafts, turn) =>
        ask(sessionId, `append ${sessionId} ${drafts.length}`, () => this.#append(sessionId, drafts, turn)),
      replay: (sessionId, events, fence) =>
        ask(sessionId, `replay ${sessionId} ${events[0]!.seq}-${events.at(-1)!.seq}`, () => {
          this.#replay(sessionId, events, fence);
        }),
      read: (sessionId, afterSeq, limit) =>
        ask(sessionId, `read ${sessionId}`, () => this.eventsOf(sessionId).slice(afterSeq, afterSeq + limit)),
      feed: async () => ({ events: [], cursor: '0' }),
      cut: () => {
        isCut = true;
      },
    };
  }

  #append(sessionId: string, drafts: readonly DurableDraft[], turn: Turn | undefined): DurableEvent[] {
    const session = this.#found(sessionId);
    const { fence, afterSeq } = turn ?? { fence: session.fence, afterSeq: session.events.length };
    const at = new Date(turn?.atMs ?? 0);
    const events = drafts.map((draft, i) =>
      eventOf({ sessionId, seq: afterSeq + 1 + i, type: draft.type, body: JSON.parse(bodyOf(draft)), at }),
    );
    const stored = session.events.slice(afterSeq, afterSeq + events.length);
    if (stored.length === events.length && stored.every((event, i) => isSame(event, events[i]!)))
      return stored;
    this.#write(session, events, fence);
    return events;
  }

  #replay(sessionId: string, events: readonly DurableEvent[], fence: number): void {
    const session = this.#found(sessionId);
    const stored = session.events.slice(events[0]!.seq - 1, events.at(-1)!.seq);
    if (!stored.every((event, i) => isSame(event, events[i]!)))
      throw new Failure('claim_lost', 'others are there');
    if (stored.length < events.length) this.#write(session, events.slice(stored.length), fence);
  }

  #found(sessionId: string): Session {
    const refusal = this.refusals.get(sessionId);
    if (refusal) throw refusal;
    const session = this.#sessions.get(sessionId);
    if (!session) throw new Failure('not_found', 'no such session');
    return session;
  }

  #write(session: Session, events: readonly DurableEvent[], fence: number): void {
    if (fence !== session.fence || events[0]!.seq !== session.events.length + 1)
      throw new Failure('claim_lost', 'not its turn');
    let { state } = session;
    for (const event of events) {
      const next = nextState(state, event);
      if (next === null) throw new Failure(hasEnded(state) ? 'session_ended' : 'conflict', `it is ${state}`);
      state = next;
    }
    session.state = state;
    session.events.push(...events);
  }
}
