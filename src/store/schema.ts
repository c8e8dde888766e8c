/** The tables. `npm run db:generate` turns a change here into a migration under `drizzle/`. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  customType,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';
import type { DeliveryState } from '../domain/delivery.ts';
import type { SessionOptions } from '../domain/options.ts';
import { SESSION_STATES, type SessionSource, type SessionState } from '../domain/session.ts';

/** PostgreSQL's 64-bit transaction id, as the decimal digits it is printed in. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const sessions = pgTable(
  'sessions',
  {
    id: text().primaryKey(),
    tenantId: text('tenant_id').notNull(),
    source: text().$type<SessionSource>().notNull(),
    state: text().$type<SessionState>().notNull().default('PENDING'),
    // json, not jsonb: what clients wrote may hold U+0000 or half a surrogate pair, which jsonb refuses.
    options: json().$type<SessionOptions>().notNull(),
    model: text().notNull(),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    finishedAt: instant('finished_at'),
    durationMs: bigint('duration_ms', { mode: 'number' }),
    processedMs: bigint('processed_ms', { mode: 'number' }).notNull().default(0),
    lastSeq: integer('last_seq').notNull().default(0),
    /** The node that works on it, and until when (epoch ms on the nodes' clocks); none before the first claim. */
    ownerNode: text('owner_node'),
    ownerUntilMs: bigint('owner_until_ms', { mode: 'number' }),
    /** Raised by every claim of another node, and anew: a writer that holds an older one writes nothing more. */
    fence: integer().notNull().default(0),
    /** Claims that ran out without having been given back. */
    crashes: integer().notNull().default(0),
    /** Where a recording is to be fetched from; null for one that was uploaded, and for live sessions. */
    audioUrl: text('audio_url'),
    /** Of the options, where the statement that fills the outbox can read it: theirs may hold what SQL cannot. */
    webhookUrl: text('webhook_url'),
  },
  (table) => [
    index('sessions_newest').on(table.tenantId, table.createdAt, table.id),
    index('sessions_newest_by_state').on(table.tenantId, table.state, table.createdAt, table.id),
    index('sessions_finished').on(table.finishedAt),
    index('sessions_claimed').on(table.ownerUntilMs).where(sql`${table.state} in ('PENDING', 'IN_PROGRESS')`),
    check(
      'sessions_state',
      sql`${table.state} in (${sql.raw(SESSION_STATES.map((state) => `'${state}'`).join(', '))})`,
    ),
  ],
);

export const events = pgTable(
  'events',
  {
    sessionId: text('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    /** 1, 2, 3 … in its session. */
    seq: integer().notNull(),
    tenantId: text('tenant_id').notNull(),
    type: text().notNull(),
    /** Set on the `llm.*` events: the answer they belong to. */
    responseId: text('response_id'),
    /** Set on `llm.token`: its `index`. */
    tokenIndex: integer('token_index'),
    /** The event's own fields; see `event-row.ts`. */
    body: json().notNull(),
    at: instant('at').notNull(),
    /** With `position`, the event's place in the feed; see `feed.ts`. */
    xid: xid8().notNull().default(sql`pg_current_xact_id()`),
    position: bigint({ mode: 'bigint' }).notNull().generatedAlwaysAsIdentity(),
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.seq] }),
    index('events_feed').on(table.tenantId, table.xid, table.position),
    index('events_answered').on(table.sessionId, table.responseId).where(sql`${table.type} = 'llm.done'`),
  ],
);

export const streamTokens = pgTable(
  'stream_tokens',
  {
    tokenHash: text('token_hash').primaryKey(),
    sessionId: text('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    /** Epoch ms. */
    expiresAtMs: bigint('expires_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [index('stream_tokens_session').on(table.sessionId)],
);

/** Tokens for clients of other vendors' protocols, which ask for one before there is a session. */
export const grants = pgTable(
  'grants',
  {
    tokenHash: text('token_hash').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    /** What was laid down when it was asked for, as JSON; null for nothing. */
    settings: json(),
    /** Epoch ms. */
    expiresAtMs: bigint('expires_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [index('grants_expiry').on(table.expiresAtMs)],
);

/**
 * The outbox: what is to be delivered of each session, written in the transaction that ends it, and how far that has
 * come. One row a session, since a session has one webhook.
 */
export const deliveries = pgTable(
  'deliveries',
  {
    sessionId: text('session_id')
      .primaryKey()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    tenantId: text('tenant_id').notNull(),
    url: text().notNull(),
    state: text().$type<DeliveryState>().notNull().default('pending'),
    /** What is sent, the same each time; null before the first attempt. */
    body: text(),
    /** In all; the schedule goes by those since it was last asked for. */
    attempts: integer().notNull().default(0),
    roundAttempts: integer('round_attempts').notNull().default(0),
    lastStatus: integer('last_status'),
    /** Epoch ms; null where none is to come. */
    nextAttemptAtMs: bigint('next_attempt_at_ms', { mode: 'number' }),
    /** Who holds it while an attempt is made: raised by each, and until when, epoch ms. */
    lease: integer().notNull().default(0),
    leaseUntilMs: bigint('lease_until_ms', { mode: 'number' }).notNull().default(0),
  },
  (table) => [
    index('deliveries_due').on(table.nextAttemptAtMs).where(sql`${table.state} = 'pending'`),
    index('deliveries_endpoint').on(table.tenantId, table.url),
  ],
);

/** What came of each attempt: kept as long as its session. */
export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    sessionId: text('session_id')
      .notNull()
      .references(() => deliveries.sessionId, { onDelete: 'cascade' }),
    /** 1, 2, 3 … */
    attempt: integer().notNull(),
    at: instant('at').notNull(),
    /** Null where no answer came. */
    status: integer(),
    durationMs: integer('duration_ms').notNull(),
    /** One stable word; null where an answer came. */
    error: text(),
    /** How the answer began. */
    response: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.attempt] })],
);

/** Receivers that fail: since when, and those that are sent nothing any more. No row for one that works. */
export const endpoints = pgTable(
  'endpoints',
  {
    tenantId: text('tenant_id').notNull(),
    url: text().notNull(),
    failingSinceMs: bigint('failing_since_ms', { mode: 'number' }).notNull(),
    disabledAtMs: bigint('disabled_at_ms', { mode: 'number' }),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.url] })],
);

/** Which session a client's own key for a request made. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    tenantId: text('tenant_id').notNull(),
    key: text().notNull(),
    /** SHA-256 of what was asked for, in hexadecimal. */
    fingerprint: text().notNull(),
    sessionId: text('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.key] }),
    index('idempotency_keys_session').on(table.sessionId),
    index('idempotency_keys_age').on(table.createdAtMs),
  ],
);

/** Uploads where several nodes share a database: any of them can do the work. */
export const uploadChunks = pgTable(
  'upload_chunks',
  {
    /** Of a session that may not exist yet. */
    sessionId: text('session_id').notNull(),
    n: integer().notNull(),
    bytes: bytea().notNull(),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.n] })],
);

/** How far retention has erased a tenant's feed: cursors before it have expired. */
export const feedFloors = pgTable('feed_floors', {
  tenantId: text('tenant_id').primaryKey(),
  xid: xid8().notNull(),
  position: bigint({ mode: 'bigint' }).notNull(),
});

/** When each signing secret was first seen, by its hash: the one before it signs along for a day. */
export const webhookSecrets = pgTable('webhook_secrets', {
  secretHash: text('secret_hash').primaryKey(),
  firstSeenMs: bigint('first_seen_ms', { mode: 'number' }).notNull(),
});
