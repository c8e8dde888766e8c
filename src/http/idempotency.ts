/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request sent twice makes one session. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import type { Idempotency, NewSession, SessionStore } from '../store/store.ts';
import type { Env } from './parts.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** The request's key; null where it has none. @throws Failure `bad_request` */
export function keyOf(c: Context<Env>): string | null {
  const given = c.req.header('idempotency-key');
  if (given === undefined) return null;
  // The draft has it in quotation marks; most clients leave them out.
  const key = /^"(.*)"$/.exec(given.trim())?.[1] ?? given.trim();
  if (!KEY.test(key))
    throw new Failure('bad_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
  return key;
}

/** SHA-256 of what a request asks for, each part apart from the next. */
export function fingerprintOf(...asked: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of asked) {
    const digest = createHash('sha256').update(part).digest();
    hash.update(digest);
  }
  return hash.digest('hex');
}

/** Makes a session, or finds the one its key has made before. */
export async function createUnder(
  idempotency: Idempotency | null,
  session: NewSession,
  sessions: Pick<SessionStore, 'create' | 'createOnce'>,
): Promise<{ readonly record: SessionRecord; readonly isNew: boolean }> {
  if (idempotency) return await sessions.createOnce(session, idempotency);
  return { record: await sessions.create(session), isNew: true };
}
