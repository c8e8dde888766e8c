/** What sessions' views are folded from, for a whole page of sessions in two queries. */
import type { Sql } from 'postgres';
import type { Delivery } from '../domain/delivery.ts';
import type { DurableEvent } from '../domain/event.ts';
import type { SessionRecord } from '../domain/session.ts';
import type { Client } from './database.ts';
import { type EventRow, eventOf } from './event-row.ts';
import type { SessionWithEvents } from './store.ts';

/**
 * Adds to each session its events up to the record's `lastSeq`, so that record and events tell of the same
 * moment although they are read one after the other. Tokens of answers that are done are left out, as
 * `llm.done` repeats their text, but for the first, which says where the answer stands among others. Those of a
 * failed answer are all there is of it.
 */
export async function withEvents(
  { sql }: Client,
  records: readonly SessionRecord[],
): Promise<SessionWithEvents[]> {
  if (records.length === 0) return [];
  const rows = await sql<(Omit<EventRow, 'at'> & { at: string })[]>`
    select session_id as "sessionId", seq, type, body, at
    from unnest(
      ${records.map(({ id }) => id)}::text[], ${records.map(({ lastSeq }) => lastSeq)}::int[]
    ) as wanted (id, last_seq)
    join events on session_id = wanted.id and seq <= wanted.last_seq
    where type <> 'llm.token' or token_index = 0 or not exists (
      select from events answer
      where answer.session_id = wanted.id and answer.seq <= wanted.last_seq
        and answer.type = 'llm.done' and answer.response_id = events.response_id
    )
    order by session_id, seq`;
  const bySession = new Map<string, DurableEvent[]>(records.map(({ id }) => [id, []]));
  for (const row of rows) bySession.get(row.sessionId)!.push(eventOf({ ...row, at: new Date(row.at) }));
  const deliveries = await deliveriesOf(sql, records);
  return records.map((record) => ({
    record,
    events: bySession.get(record.id)!,
    delivery: deliveries.get(record.id) ?? null,
  }));
}

async function deliveriesOf(sql: Sql, records: readonly SessionRecord[]): Promise<Map<string, Delivery>> {
  const ids = records.flatMap(({ id, options }) => (options.webhook ? [id] : []));
  if (ids.length === 0) return new Map();
  const rows = await sql<(Omit<Delivery, 'nextAttemptAt'> & { sessionId: string; nextMs: string | null })[]>`
    select session_id as "sessionId", state, attempts, last_status as "lastStatus",
      next_attempt_at_ms as "nextMs"
    from deliveries where session_id = any(${ids})`;
  return new Map(
    rows.map(({ sessionId, nextMs, ...delivery }) => [
      sessionId,
      { ...delivery, nextAttemptAt: nextMs === null ? null : new Date(Number(nextMs)).toISOString() },
    ]),
  );
}
