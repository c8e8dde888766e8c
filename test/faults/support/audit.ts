/** What must hold between the tables whatever happened, asked of the database itself rather than of the code under test. */
import type { Sql } from 'postgres';

/** Each finds the sessions that break a rule. */
const RULES: Readonly<Record<string, string>> = {
  'a seq is missing':
    'select session_id from events group by session_id having min(seq) <> 1 or max(seq) <> count(*)',
  'the last seq is not that of the log':
    'select id from sessions where last_seq <> (select count(*) from events where session_id = id)',
  'it ended more than once': `
    select session_id from events where type in ('session.done', 'session.failed')
    group by session_id having count(*) > 1`,
  'something else than session.sent follows its end': `
    select later.session_id from events ending join events later using (session_id)
    where ending.type in ('session.done', 'session.failed') and later.seq > ending.seq
      and later.type <> 'session.sent'`,
  'its state is not what its events and its delivery say': `
    select id from sessions left join deliveries on session_id = id
    where sessions.state <> case
      when deliveries.state = 'sent' then 'SENT'
      when exists (select from events where session_id = id and type = 'session.done') then 'DONE'
      when exists (select from events where session_id = id and type = 'session.failed') then 'FAILED'
      when exists (select from events where session_id = id and type = 'session.started') then 'IN_PROGRESS'
      else 'PENDING' end`,
  'it has an end without an instant, or an instant without an end': `
    select id from sessions where (finished_at is null) <> (state in ('PENDING', 'IN_PROGRESS'))`,
  'it has ended, and nothing is to be delivered': `
    select id from sessions where webhook_url is not null and finished_at is not null
      and not exists (select from deliveries where session_id = id)`,
  'something is to be delivered before its end': `
    select session_id from deliveries where not exists (
      select from events where session_id = deliveries.session_id
        and type in ('session.done', 'session.failed')
    )`,
  'it was delivered without an event that says so': `
    select session_id from deliveries where state = 'sent' and not exists (
      select from events where session_id = deliveries.session_id and type = 'session.sent'
    )`,
  'an event says that it was delivered, and no attempt does': `
    select session_id from events where type = 'session.sent' and not exists (
      select from delivery_attempts attempt where attempt.session_id = events.session_id
        and attempt = (events.body ->> 'attempts')::int and status between 200 and 299
    )`,
  'an attempt is not counted': `
    select session_id from deliveries where attempts <> (
      select count(*) from delivery_attempts attempt where attempt.session_id = deliveries.session_id
    ) or round_attempts > attempts`,
};

const AUDIT = Object.entries(RULES)
  .map(([rule, query]) => `select '${rule}' as rule, id from (${query}) broken (id)`)
  .join(' union all ');

/** Asked thousands of times, and longer to plan than to answer. */
export const PREPARED = { prepare: true } as const;

/** Rules that are broken, with the sessions that break them; none where all is well. */
export async function violations(sql: Sql): Promise<string[]> {
  const rows = await sql.unsafe<{ rule: string; id: string }[]>(AUDIT, [], PREPARED);
  return rows.map(({ rule, id }) => `${id}: ${rule}`);
}

/** Notes every change of a session's state from now on, whoever makes it. */
export async function watchTransitions(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create table test_transitions (
      n bigint generated always as identity, session_id text, before text, after text
    );
    create function test_note_transition() returns trigger language plpgsql as $$
    begin
      insert into test_transitions (session_id, before, after) values (new.id, old.state, new.state);
      return null;
    end $$;
    create trigger test_transition after update of state on sessions for each row
      when (old.state is distinct from new.state) execute function test_note_transition();`);
}

/** A change of state as it was noted, e.g. `PENDING IN_PROGRESS`. */
export type Transition = `${string} ${string}`;

/** What may become of what; leaving SENT takes an explicit redelivery. */
const LEGAL: ReadonlySet<Transition> = new Set<Transition>([
  'PENDING IN_PROGRESS',
  'PENDING DONE',
  'PENDING FAILED',
  'IN_PROGRESS DONE',
  'IN_PROGRESS FAILED',
  'DONE SENT',
  'FAILED SENT',
]);
const ON_REDELIVERY: ReadonlySet<Transition> = new Set<Transition>(['SENT DONE', 'SENT FAILED']);

/** All that was noted, in order, by session. */
export async function transitions(sql: Sql): Promise<Map<string, Transition[]>> {
  const rows = await sql.unsafe<{ id: string; before: string; after: string }[]>(
    'select session_id as id, before, after from test_transitions order by n',
    [],
    PREPARED,
  );
  const bySession = new Map<string, Transition[]>();
  for (const { id, before, after } of rows)
    bySession.set(id, [...(bySession.get(id) ?? []), `${before} ${after}`]);
  return bySession;
}

/**
 * Changes that no session may make.
 * @param wasRedelivered Whether somebody asked for a session's delivery anew.
 */
export function illegal(
  noted: ReadonlyMap<string, readonly Transition[]>,
  wasRedelivered: (sessionId: string) => boolean,
): string[] {
  return [...noted].flatMap(([id, changes]) =>
    changes
      .filter((change) => !LEGAL.has(change) && !(ON_REDELIVERY.has(change) && wasRedelivered(id)))
      .map((change) => `${id}: ${change}`),
  );
}
