/** Reading the durable events of all of a tenant's sessions, in one order, for ever. */
import type { DurableEvent } from '../domain/event.ts';
import { type Clock, sleep } from '../flow/clock.ts';
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
    const page = await store.log.feed(tenantId, at, PAGE);
    yield* page.events;
    at = page.cursor;
    if (page.events.length < PAGE) await wakeUpOrTimeout(woken, clock, signal);
  }
}

async function wakeUpOrTimeout(woken: Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const timeout = sleep(clock, LOOK_AGAIN_MS, AbortSignal.any([signal, done.signal]));
  await Promise.race([woken, timeout.catch(() => {})]);
  done.abort();
}
