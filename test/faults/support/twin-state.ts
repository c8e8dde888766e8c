/** Where a store and its model stand in the end: compared row by row. */
import type { Sql } from 'postgres';
import { expect } from 'vitest';
import { PREPARED } from './audit.ts';
import type { Model } from './model.ts';

const STATE = `
  select id, state, fence, crashes, owner_node as owner,
    (select json_agg(type || ' ' || body order by seq) from events where session_id = id) as events,
    (select json_agg(before || ' ' || after order by n) from test_transitions where session_id = id) as changes,
    (
      select json_build_object(
        'state', state, 'attempts', attempts, 'roundAttempts', round_attempts, 'nextMs', next_attempt_at_ms,
        'lease', lease, 'leaseUntilMs', lease_until_ms, 'body', body
      ) from deliveries where session_id = id
    ) as delivery,
    (select json_agg(attempt order by attempt) from delivery_attempts where session_id = id) as attempts
  from sessions where tenant_id = $1 order by id`;

const ENDPOINTS = `
  select url, failing_since_ms::text as since, disabled_at_ms is not null as disabled from endpoints
  where tenant_id = $1 order by url`;

/** Throws where they differ. */
export async function expectSameState(sql: Sql, tenantId: string, model: Model): Promise<void> {
  const stored = await sql.unsafe(STATE, [tenantId], PREPARED);
  const failing = await sql.unsafe(ENDPOINTS, [tenantId], PREPARED);
  const expected = [...model.sessions.values()].map(({ events, changes, delivery, ...session }) => ({
    id: session.id,
    state: session.state,
    fence: session.fence,
    crashes: session.crashes,
    owner: session.owner,
    events: listOf(events.map(({ type, body }) => `${type} ${body}`)),
    changes: listOf(changes),
    delivery,
    attempts: listOf(Array.from({ length: delivery?.attempts ?? 0 }, (_, at) => at + 1)),
  }));
  expect([...stored]).toEqual(expected.sort((a, b) => (a.id < b.id ? -1 : 1)));
  const endpoints = [...model.endpoints].map(([url, { sinceMs, isDisabled }]) => ({
    url,
    since: String(sinceMs),
    disabled: isDisabled,
  }));
  expect([...failing]).toEqual(endpoints.sort((a, b) => (a.url < b.url ? -1 : 1)));
}

/** As the database puts it together: null for none. */
const listOf = <T>(items: readonly T[]): readonly T[] | null => (items.length === 0 ? null : items);

/** Erases what a run left, so that the next finds nothing due. */
export async function eraseRun(sql: Sql): Promise<void> {
  await sql.unsafe('delete from sessions; delete from endpoints; delete from test_transitions');
}
