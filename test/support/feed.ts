/** What a feed shows, once it shows enough. */
import { vi } from 'vitest';
import type { Store } from '../../src/store/store.ts';

/**
 * The feed from its beginning, once it has at least `count` events, of which it reads `limit` at most. It is not there
 * at once: a transaction that is still running anywhere on the database server holds the feed back, and the tests
 * beside this one have theirs.
 */
export async function shownFeed(store: Store, tenantId: string, count: number, limit = count) {
  return await vi.waitFor(
    async () => {
      const page = await store.log.feed(tenantId, '0', limit);
      if (page.events.length < Math.min(count, limit))
        throw new Error(`the feed shows ${page.events.length} events of ${count}`);
      return page;
    },
    { timeout: 30_000, interval: 20 },
  );
}
