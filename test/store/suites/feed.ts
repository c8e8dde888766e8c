import { expect, it, vi } from 'vitest';
import { shownFeed } from '../../support/feed.ts';
import { create, type Fixture, final, started, unused } from './fixture.ts';

/** The feed waits for the slowest writer of the whole server, and others may write there too. */
const SOON = { timeout: 10_000, interval: 20 };

export function feedSuite(fixture: () => Fixture): void {
  it('gives the events of all a tenant’s sessions, and nobody else’s, page by page', async () => {
    const { store } = fixture();
    const tenantId = unused('tenant');
    const [a, b, foreign] = [
      await create(store, { tenantId }),
      await create(store, { tenantId }),
      await create(store),
    ];
    const stored = [
      ...(await store.log.append(a.id, [started, final(0)])),
      ...(await store.log.append(b.id, [started])),
      ...(await store.log.append(a.id, [final(1000)])),
    ];
    await store.log.append(foreign.id, [started]);
    await shownFeed(store, tenantId, 4);

    const first = await store.log.feed(tenantId, '0', 3);
    const second = await store.log.feed(tenantId, first.cursor, 3);
    const events = [...first.events, ...second.events].map(({ event }) => event);
    expect(events).toEqual(stored);
    expect((await store.log.feed(tenantId, second.cursor, 3)).events).toEqual([]);
    const resumed = await store.log.feed(tenantId, first.events[0]!.cursor, 9);
    expect(resumed.events.map(({ event }) => event)).toEqual(stored.slice(1));
  });

  it('begins at the present end when no cursor is given', async () => {
    const { store } = fixture();
    const { id, tenantId } = await create(store);
    await store.log.append(id, [started]);
    await shownFeed(store, tenantId, 1);
    const { events, cursor } = await store.log.feed(tenantId, null, 9);
    expect(events).toEqual([]);
    const later = await store.log.append(id, [final(0)]);
    await vi.waitFor(async () => {
      const next = await store.log.feed(tenantId, cursor, 9);
      expect(next.events.map(({ event }) => event)).toEqual(later);
    }, SOON);
  });

  it('never shows an event before a cursor it has given out, while many write', async () => {
    const { store } = fixture();
    const tenantId = unused('tenant');
    const ids = await Promise.all(
      Array.from({ length: 4 }, async () => (await create(store, { tenantId })).id),
    );
    let writing = true;
    let hasFailed = false;
    const writers = Promise.all(
      // Two writers to each session, so that some wait for each other's row.
      [...ids, ...ids].map(async (id, writer) => {
        for (let index = 0; index < 20; index++) await store.log.append(id, [final(writer * 1e6 + index)]);
      }),
    ).then(
      () => {
        writing = false;
      },
      (error: unknown) => {
        writing = false;
        hasFailed = true;
        throw error;
      },
    );
    // It is awaited below, once the reader has come to its end.
    writers.catch(() => {});

    const followed: unknown[] = [];
    const seqs = new Map<string, number>();
    for (let cursor = '0', isEnd = false; writing || !isEnd; ) {
      const page = await store.log.feed(tenantId, cursor, 7);
      cursor = page.cursor;
      isEnd = page.events.length === 0 && (followed.length === 160 || hasFailed);
      for (const { event } of page.events) {
        // Of one session, in the order of its seqs, without a gap.
        expect(event.seq).toBe((seqs.get(event.sessionId) ?? 0) + 1);
        seqs.set(event.sessionId, event.seq);
        followed.push(event);
      }
    }
    await writers;
    const replayed = await store.log.feed(tenantId, '0', 1000);
    expect(followed).toEqual(replayed.events.map(({ event }) => event));
  });

  const FOREIGN = [
    ...['', '1', '1.', '1.2.3', '-1.2', 'x.y', '99999999999999999999.1', '9999999999999999999.1'],
    ...['1.2@', '1.2@1:2', '1.2@2:1:', '1.2@0:1:', '1.2@1:3:3', '1.2@1:9:5,4', '1.2@1:9:5,,6'],
  ];
  it.each(FOREIGN)('refuses %j, which is no cursor of its own', async (cursor) => {
    const { store } = fixture();
    await expect(store.log.feed('tenant', cursor, 9)).rejects.toMatchObject({ code: 'bad_request' });
  });
}
