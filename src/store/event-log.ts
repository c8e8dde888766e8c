/** The log of durable events: one statement gives a batch its seqs, stores it and moves the session on. */
import { and, asc, eq, gt } from 'drizzle-orm';
import type { DurableDraft } from '../domain/event.ts';
import { Failure } from '../domain/failure.ts';
import { hasEnded, nextState, SESSION_STATES, type SessionState } from '../domain/session.ts';
import type { Clock } from '../flow/clock.ts';
import type { Client, Database } from './database.ts';
import { bodyOf, eventOf } from './event-row.ts';
import { readFeed } from './feed.ts';
import { events } from './schema.ts';
import type { EventLog } from './store.ts';

/** Where a batch leads from `state`: the last state, or, where one draft is not allowed, the state it met. */
function follow(
  state: SessionState,
  drafts: readonly DurableDraft[],
): { allowed: boolean; state: SessionState } {
  for (const draft of drafts) {
    const next = nextState(state, draft);
    if (next === null) return { allowed: false, state };
    state = next;
  }
  return { allowed: true, state };
}

/** The outcome for every state the session may be found in, for the database to choose from. */
function outcomes(drafts: readonly DurableDraft[]): Partial<Record<SessionState, SessionState>> {
  const paths = SESSION_STATES.map((from) => [from, follow(from, drafts)] as const);
  return Object.fromEntries(paths.filter(([, to]) => to.allowed).map(([from, to]) => [from, to.state]));
}

function refusal(found: SessionState, drafts: readonly DurableDraft[]): Failure {
  const { state } = follow(found, drafts);
  return hasEnded(state)
    ? new Failure('session_ended', 'The session has ended: it takes no more events.')
    : new Failure('conflict', `The session is ${state}, which does not allow that.`);
}

/**
 * Takes its turn at the session, and only then writes: the transaction's id, which orders the feed, is given out
 * by the first write, so that of two writers to one session the one with the lower seqs also has the lower id.
 * Locking the row alone would not do: a transaction may be given its id while it waits for a row.
 */
async function append({ sql }: Client, sessionId: string, drafts: readonly DurableDraft[], at: string) {
  const outcomeOf = JSON.stringify(outcomes(drafts));
  const ending = drafts.find((draft) => 'receipt' in draft);
  const [row] = await sql<{ state: SessionState; lastSeq: number; stored: boolean }[]>`
    with turn as materialized (
      select pg_advisory_xact_lock(hashtextextended(${sessionId}, 0))
    ), found as materialized (
      select id, tenant_id, state, last_seq from sessions, turn where id = ${sessionId}
      for no key update of sessions
    ), moved as (
      update sessions set
        state = ${outcomeOf}::json ->> found.state,
        last_seq = found.last_seq + ${drafts.length},
        started_at = coalesce(started_at,
          case when ${drafts.some((draft) => draft.type === 'session.started')} then ${at}::timestamptz end),
        finished_at = coalesce(finished_at, case when ${ending !== undefined} then ${at}::timestamptz end),
        duration_ms = coalesce(${ending?.receipt.receivedMs ?? null}, duration_ms),
        processed_ms = coalesce(${ending?.receipt.receivedMs ?? null}, processed_ms)
      from found
      where sessions.id = found.id and ${outcomeOf}::json ->> found.state is not null
      returning found.id, found.tenant_id, found.last_seq
    ), stored as (
      insert into events (session_id, seq, tenant_id, type, response_id, token_index, body, at)
      select moved.id, moved.last_seq + draft.n, moved.tenant_id, draft.type, draft.response_id,
        draft.token_index, draft.body::json, ${at}::timestamptz
      from moved, unnest(
        ${drafts.map((draft) => draft.type)}::text[],
        ${drafts.map((draft) => ('responseId' in draft ? draft.responseId : null))}::text[],
        ${drafts.map((draft) => ('index' in draft ? draft.index : null))}::int[],
        ${drafts.map(bodyOf)}::text[]
      ) with ordinality as draft (type, response_id, token_index, body, n)
      order by draft.n
    )
    select state, last_seq as "lastSeq", exists (select from moved) as stored from found`;
  return row;
}

export function eventLog(database: Database, clock: Clock): EventLog {
  return {
    async append(sessionId, drafts) {
      if (drafts.length === 0) return [];
      const at = new Date(clock.now());
      const row = await database.run((client) => append(client, sessionId, drafts, at.toISOString()));
      if (!row) throw new Failure('not_found', 'There is no such session.');
      if (!row.stored) throw refusal(row.state, drafts);
      // Through JSON, so that what is told now and what is read later are the same to the byte.
      return drafts.map((draft, index) => {
        const body: unknown = JSON.parse(bodyOf(draft));
        return eventOf({ sessionId, seq: row.lastSeq + 1 + index, type: draft.type, body, at });
      });
    },

    async read(sessionId, afterSeq, limit) {
      const rows = await database.run(({ orm }) =>
        orm
          .select()
          .from(events)
          .where(and(eq(events.sessionId, sessionId), gt(events.seq, afterSeq)))
          .orderBy(asc(events.seq))
          .limit(limit),
      );
      return rows.map(eventOf);
    },

    feed: (tenantId, cursor, limit) => database.run((client) => readFeed(client, tenantId, cursor, limit)),
  };
}
