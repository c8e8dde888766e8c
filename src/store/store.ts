/** What the rest of the house knows of storage. `open-store.ts` opens it, on PostgreSQL and on PGlite alike. */
import type { DurableDraft, DurableEvent } from '../domain/event.ts';
import type { SessionOptions } from '../domain/options.ts';
import type { SessionRecord, SessionSource, SessionState } from '../domain/session.ts';

export interface NewSession {
  readonly id: string;
  readonly tenantId: string;
  readonly source: SessionSource;
  readonly options: SessionOptions;
  readonly model: string;
  /** A recording's length where its header tells. */
  readonly durationMs: number | null;
}

export interface SessionFilter {
  readonly state: SessionState | null;
  /** Opaque, from an earlier page. */
  readonly cursor: string | null;
  /** 1–100. */
  readonly limit: number;
}

/** A session with the durable events its view is folded from: all but the later tokens of answers that are done. */
export interface SessionWithEvents {
  readonly record: SessionRecord;
  readonly events: readonly DurableEvent[];
}

export interface SessionStore {
  create(session: NewSession): Promise<SessionRecord>;
  /** @param tenantId Null to look in all tenants: for the gateway's own work, never for a client. */
  find(id: string, tenantId: string | null): Promise<SessionRecord | null>;
  /** The session with the events needed for `sessionView`. */
  read(id: string, tenantId: string): Promise<SessionWithEvents | null>;
  /** Newest first. `nextCursor` is null on the last page. Throws Failure `bad_request` on a cursor of ours it is not. */
  list(
    tenantId: string,
    filter: SessionFilter,
  ): Promise<{ items: SessionWithEvents[]; nextCursor: string | null }>;
  /** Notes how far a session has come, without an event; never backwards, and not once it has ended. */
  progress(id: string, progress: { processedMs: number; durationMs: number | null }): Promise<void>;
  /** Erases a session and all its events; false where there is none. */
  delete(id: string, tenantId: string): Promise<boolean>;
  /**
   * Takes a session that has not ended for a node until `untilMs` (epoch), or moves the end of the node's own
   * claim: to release it, to the present. False where another node's claim has not run out.
   */
  claim(id: string, nodeId: string, untilMs: number): Promise<boolean>;
  /** Ends the claims of all nodes: only for a node that knows itself to be the only one, before it claims any. */
  releaseAll(): Promise<void>;
  /**
   * Sessions of a source that have not ended and whose claim ran out before `nowMs`: their node is gone. A
   * session counts as claimed until it was made, so one whose node died before it could claim it is found too;
   * a live one to which nothing was sent yet, until the last of its tokens expires.
   */
  abandoned(source: SessionSource, nowMs: number): Promise<SessionRecord[]>;
  /** Erases sessions that ended before an instant, of all tenants; returns how many. */
  deleteEndedBefore(beforeMs: number): Promise<number>;
}

/** The log of durable events: the truth that every channel reads. */
export interface EventLog {
  /**
   * Stores drafts with the session's next seqs and moves its state, in one transaction: all of them or none.
   * Returns what was stored, in order. A receipt's `lastSeq` is filled in here, with the seq its event gets:
   * the caller's value is ignored.
   * @throws Failure `session_ended` where the session ended before one of them, `conflict` where its state does
   * not allow one of them for another reason, `not_found` where the session is gone, `storage_unavailable`
   * where the database cannot be reached (they may have been stored all the same).
   */
  append(sessionId: string, drafts: readonly DurableDraft[]): Promise<DurableEvent[]>;
  /** Events with a seq above `afterSeq`, in order, at most `limit`. */
  read(sessionId: string, afterSeq: number, limit: number): Promise<DurableEvent[]>;
  /**
   * Events of all a tenant's sessions, in an order that never changes once read: an event that commits late
   * is never placed before a cursor already handed out.
   * Of one session, they come in the order of their seqs.
   * @param cursor From an earlier page, `'0'` for the oldest kept, or null for the present end (no events).
   * @throws Failure `bad_request` on a cursor that this database never gave out.
   */
  feed(
    tenantId: string,
    cursor: string | null,
    limit: number,
  ): Promise<{ events: { cursor: string; event: DurableEvent }[]; cursor: string }>;
}

/** Short-lived tokens for browsers, each for one session. Only their hashes are kept. */
export interface TokenStore {
  save(tokenHash: string, sessionId: string, expiresAtMs: number): Promise<void>;
  /** The session a token opens, or null where it is unknown or expired. */
  find(tokenHash: string, nowMs: number): Promise<{ sessionId: string; tenantId: string } | null>;
}

export interface Store {
  readonly sessions: SessionStore;
  readonly log: EventLog;
  readonly tokens: TokenStore;
  /** `postgres` or `embedded`. */
  readonly kind: 'postgres' | 'embedded';
  /** Where to reach the same database, for libraries with a client of their own. */
  readonly connectionString: string;
  /** Resolves when the database answers; rejects with Failure `storage_unavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
