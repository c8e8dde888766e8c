/** The one statement that writes events: their seqs, the session's state and what is to be delivered, or nothing. */
import type { Sql, TransactionSql } from 'postgres';
import type { DurableDraft } from '../domain/event.ts';
import type { SessionState } from '../domain/session.ts';
import { bodyOf } from './event-row.ts';
import type { Turn } from './store.ts';

/** A draft and its instant, ISO 8601. */
export interface Stamped {
  readonly draft: DurableDraft;
  readonly at: string;
}

/** The session as it was found, and whether the batch was stored. */
export interface Appended {
  readonly state: SessionState;
  readonly lastSeq: number;
  readonly fence: number;
  readonly stored: boolean;
}

/**
 * Takes its turn at the session, and only then writes: the transaction's id, which orders the feed, is given out
 * by the first write, so that of two writers to one session the one with the lower seqs also has the lower id.
 * Locking the row alone would not do: a transaction may be given its id while it waits for a row.
 *
 * @param outcomeOf The state after the batch, by the state before; a state that is missing refuses it.
 * @param turn Null for a writer that holds no claim: the deliverer, whose session has ended.
 * @returns Undefined where there is no such session.
 */
export async function append(
  sql: Sql | TransactionSql,
  sessionId: string,
  batch: readonly Stamped[],
  outcomeOf: Partial<Record<SessionState, SessionState>>,
  turn: Turn | null,
): Promise<Appended | undefined> {
  const drafts = batch.map(({ draft }) => draft);
  const choices = JSON.stringify(outcomeOf);
  const startedAt = batch.find(({ draft }) => draft.type === 'session.started')?.at ?? null;
  const ending = batch.find(({ draft }) => 'receipt' in draft);
  const endedAt = ending?.at ?? null;
  const receivedMs = ending && 'receipt' in ending.draft ? ending.draft.receipt.receivedMs : null;
  const fence = turn?.fence ?? null;
  const afterSeq = turn?.afterSeq ?? null;
  const [row] = await sql<Appended[]>`
    with turn as materialized (
      select pg_advisory_xact_lock(hashtextextended(${sessionId}, 0))
    ), found as materialized (
      select id, tenant_id, state, last_seq, fence, webhook_url from sessions, turn where id = ${sessionId}
      for no key update of sessions
    ), moved as (
      update sessions set
        state = ${choices}::json ->> found.state,
        last_seq = found.last_seq + ${drafts.length},
        started_at = coalesce(started_at, ${startedAt}::timestamptz),
        finished_at = coalesce(finished_at, ${endedAt}::timestamptz),
        duration_ms = coalesce(${receivedMs}::bigint, duration_ms),
        processed_ms = coalesce(${receivedMs}::bigint, processed_ms)
      from found
      where sessions.id = found.id and ${choices}::json ->> found.state is not null
        and (${fence}::int is null or found.fence = ${fence} and found.last_seq = ${afterSeq}::int)
      returning found.id, found.tenant_id, found.last_seq, found.webhook_url
    ), stored as (
      insert into events (session_id, seq, tenant_id, type, response_id, token_index, body, at)
      select moved.id, moved.last_seq + draft.n, moved.tenant_id, draft.type, draft.response_id,
        draft.token_index, draft.body::json, draft.at::timestamptz
      from moved, unnest(
        ${drafts.map((draft) => draft.type)}::text[],
        ${drafts.map((draft) => ('responseId' in draft ? draft.responseId : null))}::text[],
        ${drafts.map((draft) => ('index' in draft ? draft.index : null))}::int[],
        ${drafts.map(bodyOf)}::text[],
        ${batch.map(({ at }) => at)}::text[]
      ) with ordinality as draft (type, response_id, token_index, body, at, n)
      order by draft.n
    ), outbox as (
      insert into deliveries (session_id, tenant_id, url, next_attempt_at_ms)
      select id, tenant_id, webhook_url, floor(extract(epoch from ${endedAt}::timestamptz) * 1000)
      from moved
      where ${endedAt}::timestamptz is not null and webhook_url is not null
      on conflict do nothing
    )
    select state, last_seq as "lastSeq", fence, exists (select from moved) as stored from found`;
  return row;
}
