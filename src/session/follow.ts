/** Reading a session: the log from a cursor on, then what is live, without a gap and without a repeat. */
import { type DurableEvent, isDurable, isTerminal, type SessionEvent } from '../domain/event.ts';
import { hasEnded } from '../domain/session.ts';
import { Lagged } from '../flow/broadcast.ts';
import { type Clock, sleep } from '../flow/clock.ts';
import type { Store } from '../store/store.ts';
import type { Hub } from './hub.ts';

const PAGE = 200;

/**
 * How often, and how many times, the log is read again for what was told and is not in it: for as long as it takes a
 * node whose database was away to store what waits on its disk.
 */
const BEHIND_MS = 500;
const BEHIND_TRIES = 20;

export interface FollowParts {
  readonly store: Store;
  readonly hub: Hub;
  readonly clock: Clock;
}

/**
 * Every event of a session with a seq above `after`, hints in between while it is live. Ends after the
 * terminal event; a session that has been delivered adds its `session.sent`.
 */
export async function* follow(
  sessionId: string,
  after: number,
  { store, hub, clock }: FollowParts,
  signal: AbortSignal,
): AsyncGenerator<SessionEvent, void, undefined> {
  let seen = after;
  /** The highest seq that was heard of. */
  let told = after;
  while (!signal.aborted) {
    // Listening begins before the log is read, so nothing can fall between the two.
    const live = hub.listen(sessionId);
    const stop = () => live.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const heard = live[Symbol.asyncIterator]();
      // The same place in the audience throughout: leaving and coming back would be told to the other nodes.
      do {
        for (let tries = 0; tries === 0 || (told > seen && tries < BEHIND_TRIES); tries++) {
          if (tries > 0) await sleep(clock, BEHIND_MS, signal);
          for await (const event of readLog(sessionId, seen, { store, hub }, signal)) {
            seen = event.seq;
            yield event;
          }
          const record = await store.sessions.find(sessionId, null);
          if (!record || (hasEnded(record.state) && record.lastSeq <= seen)) return;
        }
        told = seen;
        while (told === seen) {
          const next = await heard.next();
          if (next.done) break;
          const event = next.value;
          // Said outright, or by a hole: what is missing is in the log.
          if (event.type === 'look again') told = Math.max(told, event.seq);
          else if (!isDurable(event)) yield event;
          else if (event.seq > seen + 1) told = event.seq;
          else if (event.seq > seen) {
            told = seen = event.seq;
            yield event;
            if (isTerminal(event)) return;
          }
        }
      } while (told > seen);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Lagged)) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      live.stop();
    }
  }
}

async function* readLog(
  sessionId: string,
  after: number,
  { store, hub }: Pick<FollowParts, 'store' | 'hub'>,
  signal: AbortSignal,
): AsyncGenerator<DurableEvent, void, undefined> {
  for (let cursor = after; ; ) {
    const page = await hub.readPage(() => store.log.read(sessionId, cursor, PAGE), signal);
    yield* page;
    if (page.length < PAGE) return;
    cursor = page.at(-1)!.seq;
  }
}
