/**
 * Result, state and outgoing delivery commit together: a failure at any statement of them, injected by the database
 * itself, leaves nothing behind, and the same call succeeds once it is gone.
 */
import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/domain/delivery.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import { connect } from '../../src/store/connect.ts';
import type { DueDelivery, Store, Verdict } from '../../src/store/store.ts';
import { create, done, failed, final, started } from '../store/suites/fixture.ts';
import { databases, type OpenedStore } from '../support/databases.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keepResult } from './effort.ts';
import { violations } from './support/audit.ts';

type Statement = 'insert' | 'update' | 'delete';
type Table = 'sessions' | 'events' | 'deliveries' | 'delivery_attempts' | 'endpoints';

/** When within a statement. */
const MOMENTS = {
  'before it': 'before {statement} on {table} for each statement',
  'after it': 'after {statement} on {table} for each statement',
  'at the commit': 'after {statement} on {table} deferrable initially deferred for each row',
} as const;
type Moment = keyof typeof MOMENTS;

/** How it fails: an error, or the end of the connection, which the embedded database does not survive. */
const WAYS = {
  'with an error': `raise exception 'injected'`,
  'with the connection': 'perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10)',
} as const;
type Way = keyof typeof WAYS;

/** Connections of the store. */
const POOL = 10;
const HOOK = 'https://receiver.example/hook';
const DISABLE_AFTER_MS = 5 * 86_400_000;
const taken: Attempt = { status: 200, durationMs: 12, error: null, response: 'ok' };
const refused: Attempt = { status: 500, durationMs: 3, error: null, response: 'no' };

/** postgres.js tells of a connection's end once more, to whoever is first to use the one in its place. */
async function insist(act: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++)
    try {
      await act();
      return;
    } catch (error) {
      if (tries === POOL || (error as Failure).code !== 'storage_unavailable') throw error;
    }
}

describe.each(databases())('a failure on $name', ({ name, open }) => {
  const clock = new FakeClock();
  let opened: OpenedStore;
  let sql: Sql;
  let injected = 0;

  beforeAll(async () => {
    opened = await open(clock);
    sql = connect(opened.store.connectionString, { max: 1, settings: {} });
  });
  afterAll(async () => {
    await sql?.end();
    await opened?.cleanup();
  });

  const fail = async (way: Way, moment: Moment, statement: Statement, table: Table): Promise<void> => {
    const kind = moment === 'at the commit' ? 'constraint trigger' : 'trigger';
    const where = MOMENTS[moment].replace('{statement}', statement).replace('{table}', table);
    await sql.unsafe(`
      create or replace function test_fail() returns trigger language plpgsql as
        $$ begin ${WAYS[way]}; return null; end $$;
      create ${kind} test_fail ${where} execute function test_fail();`);
  };
  const mend = (table: Table) => sql.unsafe(`drop trigger test_fail on ${table}`);

  /** All there is of a session, whoever wrote it and when. */
  const rowsOf = async (id: string, tenantId: string): Promise<unknown> => {
    const [row] = await sql.unsafe(
      `select (select json_agg(t) from sessions t where id = $1) as sessions,
        (select json_agg(t order by seq) from events t where session_id = $1) as events,
        (select json_agg(t) from deliveries t where session_id = $1) as deliveries,
        (select json_agg(t order by attempt) from delivery_attempts t where session_id = $1) as attempts,
        (select json_agg(t) from endpoints t where tenant_id = $2) as endpoints`,
      [id, tenantId],
    );
    return row;
  };

  /** Somebody spoke; a session of a tenant of its own. */
  const begun = async (store: Store) => {
    const options = { ...DEFAULT_OPTIONS, webhook: { url: HOOK } };
    const { id, tenantId } = await create(store, { source: 'recording', options });
    const { fence } = (await store.sessions.claim(id, 'node', clock.now() + 1000))!;
    await store.log.append(id, [started, final(0)], { fence, afterSeq: 0 });
    return { id, tenantId, turn: { fence, afterSeq: 2 } };
  };
  const take = async (store: Store): Promise<DueDelivery> => {
    const limits = { count: 1, perEndpoint: 1, busy: [] };
    const [due] = await store.deliveries.takeDue(clock.now(), 1000, limits);
    return due!;
  };
  const record = (store: Store, due: DueDelivery, attempt: Attempt, verdict: Verdict) =>
    store.deliveries.record(due, attempt, verdict, DISABLE_AFTER_MS);
  /** It has ended, a first attempt was refused, and a second is being made. */
  const delivered = async (store: Store) => {
    const session = await begun(store);
    await store.log.append(session.id, [done()], session.turn);
    await record(store, await take(store), refused, { kind: 'retry', atMs: clock.now() });
    return { ...session, due: await take(store) };
  };
  const recording = (attempt: Attempt, verdict: Verdict) => async (store: Store) => {
    const { due, ...session } = await delivered(store);
    return { ...session, act: () => record(store, due, attempt, verdict) };
  };
  const ending = (draft: ReturnType<typeof done>) => async (store: Store) => {
    const session = await begun(store);
    return { ...session, act: () => store.log.append(session.id, [final(2000), draft], session.turn) };
  };

  /** What is written at one go, by which statements, and the state it leads to. */
  const acts = [
    {
      what: 'the end of a session',
      prepare: ending(done()),
      statements: ['update sessions', 'insert events', 'insert deliveries'],
      state: 'DONE',
    },
    {
      what: 'a failed end of a session',
      prepare: ending(failed()),
      statements: ['update sessions', 'insert events', 'insert deliveries'],
      state: 'FAILED',
    },
    {
      what: 'a delivery that was taken',
      prepare: recording(taken, { kind: 'sent' }),
      statements: [
        'update deliveries',
        'insert delivery_attempts',
        'delete endpoints',
        'update sessions',
        'insert events',
      ],
      state: 'SENT',
    },
    {
      what: 'a delivery that was refused',
      prepare: recording(refused, { kind: 'given_up' }),
      statements: ['update deliveries', 'insert delivery_attempts', 'update endpoints'],
      state: 'DONE',
    },
    {
      what: 'a receiver that wants no more',
      prepare: recording({ ...refused, status: 410 }, { kind: 'disable' }),
      statements: ['update deliveries', 'insert delivery_attempts', 'update endpoints'],
      state: 'DONE',
    },
    {
      what: 'a redelivery',
      prepare: async (store: Store) => {
        const { due, ...session } = await delivered(store);
        await record(store, due, taken, { kind: 'sent' });
        const { id, tenantId } = session;
        return { ...session, act: () => store.deliveries.redeliver(id, tenantId) };
      },
      statements: ['update deliveries', 'update sessions'],
      state: 'DONE',
    },
  ] as const;
  const ways: Way[] = name === 'postgres' ? ['with an error', 'with the connection'] : ['with an error'];
  const cases = acts.flatMap(({ statements, ...act }) =>
    statements.flatMap((text) => {
      const [statement, table] = text.split(' ') as [Statement, Table];
      const moments = Object.keys(MOMENTS) as Moment[];
      return moments.flatMap((moment) => ways.map((way) => ({ ...act, statement, table, moment, way })));
    }),
  );

  it.each(cases)('$way, $moment ($statement of $table), leaves nothing of $what', async (given) => {
    const { prepare, statement, table, moment, way, state } = given;
    const { store } = opened;
    const { id, tenantId, act } = await prepare(store);
    const before = await rowsOf(id, tenantId);
    await fail(way, moment, statement, table);
    const refusal = way === 'with an error' ? { code: 'P0001' } : { code: 'storage_unavailable' };
    await expect(act()).rejects.toMatchObject(refusal);
    await mend(table);
    expect(await rowsOf(id, tenantId)).toEqual(before);
    expect(await violations(sql)).toEqual([]);

    await insist(act);
    expect(await violations(sql)).toEqual([]);
    expect(await store.sessions.find(id, null)).toMatchObject({ state });
    await store.sessions.delete(id, tenantId);
    injected++;
  });

  it('was injected at every statement', () => {
    expect(injected).toBe(cases.length);
    keepResult(`A4 ${name}`, `${injected} failures, one at each statement and at the commit: 0 orphans`);
  });
});
