/**
 * The log of durable events while the database is away: what is appended goes to the spool, and from there to
 * the database when it is back. Whoever appends is told the same either way, and earlier than a reader.
 */
import type { DurableDraft, DurableEvent } from '../domain/event.ts';
import { Failure } from '../domain/failure.ts';
import { nextState, type SessionState } from '../domain/session.ts';
import { bodyOf, eventOf } from './event-row.ts';
import type { Spool } from './spool.ts';
import { type DrainParts, mayPass, SpoolDrain } from './spool-drain.ts';
import type { Tail } from './spool-index.ts';
import { storageUnavailable } from './storage-failure.ts';
import type { EventLog, Turn } from './store.ts';

/** See {@link spooledLog}. */
export interface SpooledLog extends EventLog {
  /** Entries that wait for the database. */
  readonly waiting: number;
  /** Whether events of a session do. */
  isWaiting(sessionId: string): boolean;
  /**
   * Resolves once nothing waits for the database; rejects with the signal's reason.
   * @throws Failure `shutting_down` where the log was closed before.
   */
  whenDrained(signal?: AbortSignal): Promise<void>;
  /** Stops draining and closes the spool; what waits is drained by the next process. The log beneath stays open. */
  close(): Promise<void>;
}

/** Where a session stands after its last event that waits; null where that does not tell. */
function stateAfter({ type }: Tail): SessionState | null {
  switch (type) {
    case 'session.done':
      return 'DONE';
    case 'session.failed':
      return 'FAILED';
    case 'session.sent':
      return 'SENT';
    default:
      return null;
  }
}

/** Refuses drafts after an event that ends the session, be it waiting or among them. */
function refuseAfterEnd(tail: Tail | null, drafts: readonly DurableDraft[]): void {
  let state = tail && stateAfter(tail);
  for (const draft of drafts) {
    const isEnd = draft.type === 'session.done' || draft.type === 'session.failed';
    const next = state === null ? (isEnd ? nextState('IN_PROGRESS', draft) : null) : nextState(state, draft);
    if (state !== null && next === null)
      throw new Failure('session_ended', 'The session has ended: it takes no more events.');
    state = next;
  }
}

class Spooled implements SpooledLog {
  readonly #log: EventLog;
  readonly #spool: Spool;
  readonly #parts: DrainParts;
  readonly #drain: SpoolDrain;
  /** The last append of every session that has one under way: nothing of it may overtake that. */
  readonly #appends = new Map<string, Promise<unknown>>();

  constructor(log: EventLog, spool: Spool, parts: DrainParts) {
    this.#log = log;
    this.#spool = spool;
    this.#parts = parts;
    this.#drain = new SpoolDrain(log, spool, parts);
    this.#drain.start();
  }

  get waiting(): number {
    return this.#spool.waiting;
  }

  isWaiting(sessionId: string): boolean {
    return this.#spool.has(sessionId);
  }

  async append(sessionId: string, drafts: readonly DurableDraft[], turn?: Turn): Promise<DurableEvent[]> {
    const appended = (this.#appends.get(sessionId) ?? Promise.resolve()).then(() =>
      this.#append(sessionId, drafts, turn),
    );
    const settled = appended.catch(() => {});
    this.#appends.set(sessionId, settled);
    try {
      return await appended;
    } finally {
      if (this.#appends.get(sessionId) === settled) this.#appends.delete(sessionId);
    }
  }

  replay(sessionId: string, events: readonly DurableEvent[], fence: number): Promise<void> {
    return this.#log.replay(sessionId, events, fence);
  }

  read(sessionId: string, afterSeq: number, limit: number): Promise<DurableEvent[]> {
    return this.#log.read(sessionId, afterSeq, limit);
  }

  feed(tenantId: string, cursor: string | null, limit: number): ReturnType<EventLog['feed']> {
    return this.#log.feed(tenantId, cursor, limit);
  }

  whenDrained(signal?: AbortSignal): Promise<void> {
    return this.#drain.whenDone(signal);
  }

  async close(): Promise<void> {
    // Those under way may be waiting for the database in vain, to go to the spool then.
    await Promise.all([this.#drain.close(), ...this.#appends.values()]);
    await this.#spool.close();
  }

  async #append(
    sessionId: string,
    drafts: readonly DurableDraft[],
    turn: Turn | undefined,
  ): Promise<DurableEvent[]> {
    if (drafts.length === 0) return [];
    // The database may have stored what it never answered for, and the spool is to say the same of it.
    const stamped = turn && { ...turn, atMs: turn.atMs ?? this.#parts.clock.now() };
    if (!this.#drain.isAway && !this.#spool.has(sessionId))
      try {
        return await this.#log.append(sessionId, drafts, stamped);
      } catch (error) {
        if (!mayPass(error) || !stamped) throw error;
        this.#drain.isAway = true;
      }
    // Without its turn nobody can say which seqs the events have.
    if (!stamped) throw storageUnavailable(new Error('earlier events of the session wait in the spool'));
    return await this.#keep(sessionId, drafts, stamped);
  }

  async #keep(
    sessionId: string,
    drafts: readonly DurableDraft[],
    turn: Required<Turn>,
  ): Promise<DurableEvent[]> {
    const failure = this.#drain.failureOf(sessionId, turn.fence);
    if (failure) throw failure;
    const tail = this.#spool.tailOf(sessionId);
    // What waits under an earlier claim is dropped once the database is back, and binds nobody.
    const own = tail && tail.fence >= turn.fence ? tail : null;
    refuseAfterEnd(own, drafts);
    if (own && (own.fence !== turn.fence || own.seq !== turn.afterSeq))
      throw new Failure('claim_lost', 'Another node has taken the session over.');

    const at = new Date(turn.atMs);
    const events = drafts.map((draft, index) => {
      const body: unknown = JSON.parse(bodyOf(draft));
      return eventOf({ sessionId, seq: turn.afterSeq + 1 + index, type: draft.type, body, at });
    });
    try {
      await this.#spool.add({ sessionId, fence: turn.fence, events });
    } catch (error) {
      // With nothing that waits there would be no try to find that the database is back.
      if (this.#spool.waiting === 0) this.#drain.isAway = false;
      this.#parts.onError(error);
      throw storageUnavailable(error);
    }
    this.#drain.start();
    return events;
  }
}

/**
 * A log whose appends go on while the database is away or full: they wait in the spool, under the seqs that follow from
 * their turns, and are written to the database in order when it takes them again, also by a later process. Events
 * that wait are not read: `read` and `feed` are the database's.
 *
 * Appends without a turn are not spooled, as their seqs are the database's to give. An append that finds no room in
 * the spool fails with `storage_unavailable` too, since a later try may succeed; its `cause` says `storage_full`.
 *
 * What nobody checks meanwhile is the claim: where another node took the session over, what waits is dropped, and
 * `onError` is told with `claim_lost`. Of drafts that its state does not allow, only those after its end are refused.
 */
export function spooledLog(log: EventLog, spool: Spool, parts: DrainParts): SpooledLog {
  return new Spooled(log, spool, parts);
}
