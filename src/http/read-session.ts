/** A session as clients read it, from the store. */
import { Failure } from '../domain/failure.ts';
import { type Session, sessionView } from '../domain/session.ts';
import type { SessionStore } from '../store/store.ts';

/** @throws Failure `not_found` where the tenant has none of that id. */
export async function readSession(
  sessions: Pick<SessionStore, 'read'>,
  id: string,
  tenantId: string,
): Promise<Session> {
  const found = await sessions.read(id, tenantId);
  if (!found) throw new Failure('not_found', 'There is no such session.');
  return sessionView(found.record, found.events, found.delivery);
}
