/** The events that sessions' views are folded from, for a whole page of sessions in one query. */
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
  return records.map((record) => ({ record, events: bySession.get(record.id)! }));
}
