/** What the rest of the house knows of storage. `open-store.ts` opens it, on PostgreSQL and on PGlite alike. */
import type { Attempt, Delivery } from '../domain/delivery.ts';
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
  /** Where a recording is to be fetched from; left out for one that is here, and for live sessions. */
  readonly audioUrl?: string | null;
}

/** A client's own name for a request that is to make one session, however often it is sent. */
export interface Idempotency {
  readonly key: string;
  /** Of all that is asked for: the same key for something else is a mistake. */
  readonly fingerprint: string;
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
  /** Null where it has no webhook, or has not ended. */
  readonly delivery: Delivery | null;
}

/** A node's hold on a session. */
export interface Claim {
  /** Higher with each claim by another node, or anew by the same: see {@link Turn}. */
  readonly fence: number;
  /** How many claims before this one ran out without having been given back: their processes died over it. */
  readonly crashes: number;
}

export interface SessionStore {
  create(session: NewSession): Promise<SessionRecord>;
  /**
   * Creates a session, or finds the one that an earlier request with this key made, of the same tenant.
   * @throws Failure `idempotency_conflict` where that one asked for something else.
   */
  createOnce(
    session: NewSession,
    idempotency: Idempotency,
  ): Promise<{ readonly record: SessionRecord; readonly isNew: boolean }>;
  /** @param tenantId Null to look in all tenants: for the gateway's own work, never for a client. */
  find(id: string, tenantId: string | null): Promise<SessionRecord | null>;
  /** The session with the events needed for `sessionView`. */
  read(id: string, tenantId: string): Promise<SessionWithEvents | null>;
  /** Newest first. `nextCursor` is null on the last page. Throws Failure `bad_request` on a cursor of ours it is not. */
  list(
    tenantId: string,
    filter: SessionFilter,
  ): Promise<{ items: SessionWithEvents[]; nextCursor: string | null }>;
  /** Erases a session and all its events; false where there is none. */
  delete(id: string, tenantId: string): Promise<boolean>;
  /**
   * Takes a session that has not ended for a node until `untilMs` (epoch), or moves the end of the node's own
   * claim. Null where another node's claim has not run out, or the session has ended.
   */
  claim(id: string, nodeId: string, untilMs: number): Promise<Claim | null>;
  /**
   * Moves the end of a node's claims on several sessions, and notes how far they have come: never backwards, and not
   * once they have ended. A length that is null is left as it is.
   * @returns Those that it still holds: the others have ended, or are another node's.
   */
  renew(
    nodeId: string,
    untilMs: number,
    sessions: readonly {
      readonly id: string;
      readonly processedMs: number;
      readonly durationMs: number | null;
    }[],
  ): Promise<ReadonlySet<string>>;
  /** Gives a node's claim back, so that the next need not wait for it to run out. */
  release(id: string, nodeId: string): Promise<void>;
  /** Ends the claims of all nodes: only for a node that knows itself to be the only one, before it claims any. */
  releaseAll(): Promise<void>;
  /**
   * Sessions of a source that have not ended and whose claim ran out before `nowMs`: their node is gone. A
   * session counts as claimed until it was made, so one whose node died before it could claim it is found too;
   * a live one to which nothing was sent yet, until the last of its tokens expires.
   */
  abandoned(
    source: SessionSource,
    nowMs: number,
  ): Promise<
    (SessionRecord & {
      /** As it will be in the {@link Claim} of whoever takes it. */
      readonly crashes: number;
    })[]
  >;
  /** Erases sessions that ended before an instant, of all tenants; returns how many. */
  deleteEndedBefore(beforeMs: number): Promise<number>;
}

/** Where a writer stands: by what it holds its session, and what it knows to be written there. */
export interface Turn {
  /** Of its claim: once another node has claimed the session, nothing more is written for this one. */
  readonly fence: number;
  /** The seq of the last event it knows of; 0 before the first. */
  readonly afterSeq: number;
  /**
   * When it happened, epoch ms: the same for every try, so that whichever is found to have succeeded tells the same
   * instant. The log's own time where it is left out.
   */
  readonly atMs?: number;
}

/** The log of durable events: the truth that every channel reads. */
export interface EventLog {
  /**
   * Stores drafts with the session's next seqs and moves its state, in one transaction: all of them or none.
   * Returns what was stored, in order. A receipt's `lastSeq` is filled in here, with the seq its event gets:
   * the caller's value is ignored. What was stored already, by a try whose answer got lost, is not stored again.
   * @throws Failure `claim_lost` where another node took the session over or wrote to it, `session_ended` where the session ended before one of them, `conflict` where its state does
   * not allow one of them for another reason, `not_found` where the session is gone, `storage_unavailable`
   * where the database cannot be reached (they may have been stored all the same).
   */
  append(sessionId: string, drafts: readonly DurableDraft[], turn?: Turn): Promise<DurableEvent[]>;
  /**
   * Stores events that got their seqs while the database was away, as {@link append} would have; those that are
   * stored already are passed over.
   * @param events Of one session, in order, without a hole.
   * @throws Failure as `append` does; `claim_lost` also where the log has other events in their place.
   */
  replay(sessionId: string, events: readonly DurableEvent[], fence: number): Promise<void>;
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

/** A delivery whose attempt is due, held by whoever makes it. */
export interface DueDelivery {
  readonly sessionId: string;
  readonly tenantId: string;
  readonly url: string;
  /** Attempts made since it was last asked for. */
  readonly roundAttempts: number;
  /** Raised with each holder: one that was overtaken writes nothing. */
  readonly lease: number;
  /** Null before the first attempt: see {@link DeliveryStore.keepBody}. */
  readonly body: string | null;
}

/** What follows an attempt. */
export type Verdict =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly atMs: number }
  /** The receiver is sent nothing more until somebody asks for it. */
  | { readonly kind: 'disable' }
  | { readonly kind: 'given_up' };

/** The outbox: what is to be delivered, and what came of it. It is filled by the log alone. */
export interface DeliveryStore {
  /**
   * Takes deliveries that are due, soonest first.
   * @param limits `perEndpoint` of one receiver at most; none of those in `busy`, by their urls.
   */
  takeDue(
    nowMs: number,
    leaseMs: number,
    limits: { readonly count: number; readonly perEndpoint: number; readonly busy: readonly string[] },
  ): Promise<DueDelivery[]>;
  /** Keeps what is sent with the first attempt for all later ones, and returns what was kept first. */
  keepBody(sessionId: string, body: string): Promise<string>;
  /**
   * Notes an attempt and what follows, the session's `session.sent` included, in one transaction.
   * @param disableAfterMs A receiver that has failed for so long is disabled: what waits for it is given up.
   * @returns What was stored for the session's log, if anything; null where the lease was lost and nothing was.
   */
  record(
    due: DueDelivery,
    attempt: Attempt,
    verdict: Verdict,
    disableAfterMs: number,
  ): Promise<{ readonly events: readonly DurableEvent[] } | null>;
  /** Gives a delivery back untried. */
  giveBack(due: DueDelivery): Promise<void>;
  /** Ends the leases of all nodes: only for a node that knows itself to be the only one. */
  releaseAll(): Promise<void>;
  /** All attempts of a session, in order. */
  attempts(sessionId: string): Promise<(Attempt & { readonly attempt: number; readonly at: string })[]>;
  /**
   * Asks for a delivery anew: its schedule begins again, its receiver counts as working.
   * @throws Failure `not_redeliverable` where there is nothing to deliver.
   */
  redeliver(sessionId: string, tenantId: string): Promise<void>;
  /** The same for all that were given up and ended at or after an instant; returns how many. */
  redeliverFailed(tenantId: string, sinceMs: number): Promise<number>;
  /** When a signing secret was first used here, epoch ms: now, where it is new. */
  secretSince(secretHash: string): Promise<number>;
}

/** Uploads as several nodes share them. */
export interface UploadStore {
  /** Keeps the `n`th piece, counted from 0. */
  put(sessionId: string, n: number, bytes: Uint8Array): Promise<void>;
  /** The `n`th piece; null behind the last. */
  get(sessionId: string, n: number): Promise<Uint8Array | null>;
  remove(sessionId: string): Promise<void>;
  /** Erases pieces from before an instant (epoch ms) that no session needs; returns how many. */
  removeOrphans(beforeMs: number): Promise<number>;
}

/** Short-lived tokens for browsers, each for one session. Only their hashes are kept. */
export interface TokenStore {
  save(tokenHash: string, sessionId: string, expiresAtMs: number): Promise<void>;
  /** The session a token opens, or null where it is unknown or expired. */
  find(tokenHash: string, nowMs: number): Promise<{ sessionId: string; tenantId: string } | null>;
  /** Keeps a token that opens sessions yet to be made, and forgets those that have expired. */
  saveGrant(tokenHash: string, grant: Grant, expiresAtMs: number): Promise<void>;
  /** What such a token stands for, or null where it is unknown or expired. */
  findGrant(tokenHash: string, nowMs: number): Promise<Grant | null>;
}

/** What the holder of a token may do before there is a session. */
export interface Grant {
  readonly tenantId: string;
  /** What was laid down for the session when the token was asked for: JSON, or null for nothing. */
  readonly settings: unknown;
}

export interface Store {
  readonly sessions: SessionStore;
  readonly log: EventLog;
  readonly tokens: TokenStore;
  readonly deliveries: DeliveryStore;
  readonly uploads: UploadStore;
  /** `postgres` or `embedded`. */
  readonly kind: 'postgres' | 'embedded';
  /** Where to reach the same database, for libraries with a client of their own. */
  readonly connectionString: string;
  /** Batches of events that wait on disk for the database to come back. */
  readonly waiting: number;
  /** Whether events of a session do: then its log is behind what was told. */
  isWaiting(sessionId: string): boolean;
  /** Has somebody, instead of anybody before, told of what has been stored that waited: up to which seq of a session. */
  onStored(tell: (sessionId: string, seq: number) => void): void;
  /** What time it is at the database, epoch ms. @throws Failure `storage_unavailable` */
  nowMs(): Promise<number>;
  /** Resolves when the database answers; rejects with Failure `storage_unavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
