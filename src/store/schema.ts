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
import type { SessionOptions } from '../domain/options.ts';
import { SESSION_STATES, type SessionSource, type SessionState } from '../domain/session.ts';

/** PostgreSQL's 64-bit transaction id, as the decimal digits it is printed in. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

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
