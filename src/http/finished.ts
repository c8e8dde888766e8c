/** Waiting for a recording's end with its client on the line, as the vendors' faces do. */
import type { Context } from 'hono';
import { type DurableEvent, isDurable } from '../domain/event.ts';
import { Failure } from '../domain/failure.ts';
import { type Session, type SessionRecord, sessionView } from '../domain/session.ts';
import { type FollowParts, follow } from '../session/follow.ts';
import type { Env } from './parts.ts';

/**
 * Lets a request wait for as long as the work takes: the server lets go of connections on which nothing moves. There is
 * none where a test asks without a socket.
 */
export const waitPatiently = (c: Context<Env>): void => void c.env?.incoming?.socket.setTimeout(0);

/**
 * A session once it has ended, also where another node works on it.
 * @param signal Aborted when the client leaves.
 * @throws Failure what it failed of; `not_found` where it was deleted, or nobody waits any more.
 */
export async function finished(
  record: SessionRecord,
  parts: FollowParts,
  signal: AbortSignal,
): Promise<Session> {
  const events: DurableEvent[] = [];
  for await (const event of follow(record.id, 0, parts, signal)) {
    if (!isDurable(event)) continue;
    events.push(event);
    if (event.type === 'session.failed') throw new Failure(event.error.code, event.error.message);
    if (event.type === 'session.done') return sessionView(record, events);
  }
  throw new Failure('not_found', 'The session was deleted before it had ended.');
}
