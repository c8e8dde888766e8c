/** The feed over batches of events: positions of one transaction are numbers, not words. */
import { describe, expect, it } from 'vitest';
import { databases } from '../support/databases.ts';
import { shownFeed } from '../support/feed.ts';
import { create, final, started } from './suites/fixture.ts';

describe.each(databases())('the feed, on $name', (database) => {
  it('gives what was stored in one go in the order of its seqs, however it is read', async () => {
    const { store, cleanup } = await database.open();
    const { id, tenantId } = await create(store);
    const finals = Array.from({ length: 1200 }, (_, n) => final(1000 * n));
    const stored = await store.log.append(id, [started, ...finals]);
    await shownFeed(store, tenantId, stored.length);
    for (const page of [7, 200, 2000]) {
      const seen = [];
      for (let cursor = '0'; ; ) {
        const { events, cursor: next } = await store.log.feed(tenantId, cursor, page);
        seen.push(...events.map(({ event }) => event));
        if (events.length < page) break;
        cursor = next;
      }
      expect(seen).toEqual(stored);
    }
    await cleanup();
  });
});
