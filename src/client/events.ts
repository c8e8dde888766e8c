import type { DurableEvent, SessionEvent } from '../domain/event.ts';
import type { Session } from '../domain/session.ts';
import { type FollowOptions, follow } from './follow.ts';
import { type Http, parseAnswer } from './http.ts';
import type { SseMessage } from './sse.ts';
import type { Timing } from './timing.ts';
import type { FeedEntry, ResetEvent } from './wire.ts';

const RESET: ResetEvent = { type: 'reset' };

/** How long a session's events are asked for again after the connection is lost. */
const EVENTS_PATIENCE_MS = 300_000;

/** The cursor before the oldest event that is kept. */
const OLDEST = '0';

const ACCEPT = { accept: 'text/event-stream' };

const eventOf = (message: SseMessage): SessionEvent => parseAnswer<SessionEvent>(message.data, 200);

/**
 * Every event of one session, from its beginning or after a seq, then live, until its end. Durable events come
 * exactly once and in order, however often the connection is lost.
 */
export async function* sessionEvents(
  http: Http,
  timing: Timing,
  id: string,
  options: FollowOptions,
): AsyncGenerator<SessionEvent | ResetEvent, void, undefined> {
  const path = `v1/sessions/${encodeURIComponent(id)}`;
  let lastSeq = Number(options.after ?? 0);
  let ended = false;
  const source = {
    open: (cursor: string | null, signal: AbortSignal) =>
      http.call('GET', `${path}/events`, {
        headers: { ...ACCEPT, ...(lastSeq > 0 && { 'last-event-id': String(lastSeq) }) },
        query: { after: cursor ?? undefined },
        signal,
      }),
    // A reader who asks for what comes after the end gets a stream that closes without a word.
    async isOver() {
      if (ended) return true;
      const { signal } = options;
      const { receipt } = await http.json<Session>('GET', path, { signal });
      return receipt !== null && lastSeq >= receipt.lastSeq;
    },
  };
  for await (const message of follow(
    source,
    { ...options, patienceMs: options.patienceMs ?? EVENTS_PATIENCE_MS },
    timing,
  )) {
    if (message.event === 'reset') {
      yield RESET;
      continue;
    }
    const event = eventOf(message);
    if ('seq' in event) {
      if (event.seq <= lastSeq) continue;
      lastSeq = event.seq;
    }
    ended ||=
      event.type === 'session.done' || event.type === 'session.failed' || event.type === 'session.sent';
    yield event;
  }
}

/**
 * The durable events of all sessions the key may see, for as long as the caller listens. Where the gateway no longer
 * keeps what came after the cursor, it says so by a reset, and what it has follows from the oldest.
 */
export async function* feedEntries(
  http: Http,
  timing: Timing,
  options: FollowOptions,
): AsyncGenerator<FeedEntry, void, undefined> {
  let asked: string | null = null;
  let stale: string | null = null;
  const source = {
    open(cursor: string | null, signal: AbortSignal) {
      asked = cursor;
      const after = cursor !== null && cursor === stale ? OLDEST : cursor;
      return http.call('GET', 'v1/feed', {
        headers: { ...ACCEPT, ...(after !== null && { 'last-event-id': after }) },
        query: { after: after ?? undefined },
        signal,
      });
    },
    isOver: () => false,
  };
  for await (const message of follow(
    source,
    { ...options, patienceMs: options.patienceMs ?? Infinity },
    timing,
  )) {
    const isReset = message.event === 'reset';
    if (isReset) stale = asked;
    yield { cursor: message.id, event: isReset ? RESET : (eventOf(message) as DurableEvent) };
  }
}
