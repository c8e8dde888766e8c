/** Reading the durable events of all of a tenant's sessions, in one order, for ever. */
import type { DurableEvent } from '../domain/event.ts';
import { waitAtMost } from '../flow/clock.ts';
import type { FollowParts } from './follow.ts';

const PAGE = 200;

/** The longest a reader waits before it looks by itself: wake-ups are hints, and other nodes send none. */
const LOOK_AGAIN_MS = 1000;

/**
 * Ends when `signal` aborts.
 * @param cursor From an earlier reading; `'0'` for the oldest event kept; null for those from now on.
 */
export async function* readFeed(
  tenantId: string,
  cursor: string | null,
  { store, hub, clock }: FollowParts,
  signal: AbortSignal,
): AsyncGenerator<{ cursor: string; event: DurableEvent }, void, undefined> {
  let at = cursor ?? (await store.log.feed(tenantId, null, 1)).cursor;
  while (!signal.aborted) {
    const woken = hub.nextInFeed(tenantId);
    const page = await hub
      .readPage(() => store.log.feed(tenantId, at, PAGE), signal)
      .catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
    if (!page) return;
    yield* page.events;
    at = page.cursor;
    if (page.events.length < PAGE) await waitAtMost(clock, LOOK_AGAIN_MS, woken, signal);
  }
}
