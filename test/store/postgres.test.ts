/** What only a server can do: run transactions side by side, be shared by nodes, and go away. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/flow/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { type ProxyMode, TcpProxy } from '../support/tcp-proxy.ts';
import { create, final, started } from './suites/fixture.ts';

const open = (databaseUrl: string, answerTimeoutMs = 10_000): Promise<Store> =>
  openStore({ databaseUrl, dataDir: '', clock: systemClock, answerTimeoutMs });

describe.runIf(hasPostgres)('the store on a server', () => {
  let database: Awaited<ReturnType<typeof freshPostgres>>;
  beforeAll(async () => {
    database = await freshPostgres();
  });
  afterAll(() => database?.drop());

  it('is set up once by ten nodes that boot together', async () => {
    const fresh = await freshPostgres();
    const stores = await Promise.all(Array.from({ length: 10 }, () => open(fresh.url)));
    const { id, tenantId } = await create(stores[0]!);
    for (const store of stores) expect(await store.sessions.find(id, tenantId)).not.toBeNull();
    await Promise.all(stores.map((store) => store.close()));
    await fresh.drop();
  });

  it('keeps an event that commits late from landing behind a cursor given out', async () => {
    const store = await open(database.url);
    const sql = postgres(database.url, { max: 1 });
    const slow = await create(store);
    const quick = await create(store, { tenantId: slow.tenantId });

    let commit = () => {};
    const mayCommit = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let wrote = () => {};
    const hasWritten = new Promise<void>((resolve) => {
      wrote = resolve;
    });
    const writing = sql.begin(async (transaction) => {
      await transaction`insert into events (session_id, seq, tenant_id, type, body, at)
        values (${slow.id}, 1, ${slow.tenantId}, 'session.sent', '{"attempts":1}', now())`;
      wrote();
      await mayCommit;
    });
    await hasWritten;
    await store.log.append(quick.id, [started, final(0)]);

    const before = await store.log.feed(slow.tenantId, '0', 9);
    const present = await store.log.feed(slow.tenantId, null, 9);
    expect([...before.events, ...present.events]).toEqual([]);

    commit();
    await writing;
    // What was stored already, though nobody could be shown it yet, is no news to who reads from the present on.
    const told = [
      [before.cursor, [slow.id, quick.id, quick.id]],
      [present.cursor, [slow.id]],
    ] as const;
    for (const [cursor, ids] of told)
      await vi.waitFor(async () => {
        const { events } = await store.log.feed(slow.tenantId, cursor, 9);
        expect(events.map(({ event }) => event.sessionId)).toEqual(ids);
      });
    const [first] = (await store.log.feed(slow.tenantId, present.cursor, 1)).events;
    const later = await store.log.append(quick.id, [final(1000)]);
    await vi.waitFor(async () => {
      const { events } = await store.log.feed(slow.tenantId, present.cursor, 9);
      expect(events.slice(1).map(({ event }) => event)).toEqual(later);
    });
    const resumed = await store.log.feed(slow.tenantId, first!.cursor, 9);
    expect(resumed.events.map(({ event }) => event).at(-1)).toEqual(later[0]);
    await sql.end();
    await store.close();
  });

  it('refuses to open where no server answers', async () => {
    await expect(open('postgresql://postgres@127.0.0.1:1/test')).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  });

  it('refuses an address that is none', async () => {
    await expect(open('postgres')).rejects.toMatchObject({ code: 'bad_request' });
  });

  describe('behind a network that fails', () => {
    const OUTAGES: ProxyMode[] = ['refuse', 'hang_up', 'silent'];

    it.each(OUTAGES)('fails as unavailable while it is gone (%s), and is well again after', async (mode) => {
      const url = new URL(database.url);
      const proxy = new TcpProxy({ host: url.hostname, port: Number(url.port || 5432) });
      await proxy.set('forward');
      url.host = `127.0.0.1:${proxy.port}`;
      const store = await open(url.href, 500);
      const { id } = await create(store);

      await proxy.set(mode);
      const attempts = await Promise.allSettled([
        ...Array.from({ length: 30 }, () => store.log.append(id, [final(0)])),
        store.ping(),
        store.sessions.find(id, null),
      ]);
      const codes = attempts.map((attempt) => attempt.status === 'rejected' && attempt.reason.code);
      expect(new Set(codes)).toEqual(new Set(['storage_unavailable']));
      await expect(store.ping()).rejects.toMatchObject({ code: 'storage_unavailable' });

      await proxy.set('forward');
      await vi.waitFor(() => store.ping(), { timeout: 5000 });
      const stored = await store.log.append(id, [started]);
      expect(await store.log.read(id, 0, 100)).toEqual(stored);
      await store.close();
      await proxy.close();
    });
  });
});
