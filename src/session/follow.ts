/** Reading a session: the log from a cursor on, then what is live, without a gap and without a repeat. */
import { type DurableEvent, isDurable, isTerminal, type SessionEvent } from '../domain/event.ts';
import { hasEnded } from '../domain/session.ts';
import { Lagged } from '../flow/broadcast.ts';
import type { Store } from '../store/store.ts';
import { type Hub, LOOK_AGAIN } from './hub.ts';

const PAGE = 200;

export interface FollowParts {
  readonly store: Store;
  readonly hub: Hub;
}

/**
 * Every event of a session with a seq above `after`, hints in between while it is live. Ends after the
 * terminal event; a session that has been delivered adds its `session.sent`.
 */
export async function* follow(
  sessionId: string,
  after: number,
  { store, hub }: FollowParts,
  signal: AbortSignal,
): AsyncGenerator<SessionEvent, void, undefined> {
  let seen = after;
  while (!signal.aborted) {
    // Listening begins before the log is read, so nothing can fall between the two.
    const live = hub.listen(sessionId);
    const stop = () => live.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const heard = live[Symbol.asyncIterator]();
      // The same place in the audience throughout: leaving and coming back would be told to the other nodes.
      for (let isBehind = true; isBehind; ) {
        for await (const event of readLog(store, sessionId, seen)) {
          seen = event.seq;
          yield event;
        }
        const record = await store.sessions.find(sessionId, null);
        if (!record || (hasEnded(record.state) && record.lastSeq <= seen)) return;
        isBehind = false;
        while (!isBehind) {
          const next = await heard.next();
          if (next.done) break;
          const event = next.value;
          // Said outright, or by a hole: another node wrote in between, and the log has it.
          isBehind = event === LOOK_AGAIN || (isDurable(event) && event.seq > seen + 1);
          if (isBehind || event === LOOK_AGAIN) continue;
          if (isDurable(event)) {
            if (event.seq <= seen) continue;
            seen = event.seq;
          }
          yield event;
          if (isTerminal(event)) return;
        }
      }
    } catch (error) {
      if (!(error instanceof Lagged)) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      live.stop();
    }
  }
}

async function* readLog(
  store: Store,
  sessionId: string,
  after: number,
): AsyncGenerator<DurableEvent, void, undefined> {
  for (let cursor = after; ; ) {
    const page = await store.log.read(sessionId, cursor, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    cursor = page.at(-1)!.seq;
  }
}
