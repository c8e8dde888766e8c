/** Uploads that belong to nothing: their process died while they were received, or just after they were done with. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasEnded } from '../domain/session.ts';
import type { SessionStore } from '../store/store.ts';

/** An upload that has not grown for so long is not being received: a stalled connection is cut long before. */
const RECEIVED_WITHIN_MS = 10 * 60_000;

/** Erases the uploads in `folder` whose session is not there, or has ended. */
export async function eraseOrphans(
  folder: string,
  sessions: Pick<SessionStore, 'find'>,
  nowMs: number,
): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (!found || found.mtimeMs > nowMs - RECEIVED_WITHIN_MS) continue;
    const session = await sessions.find(name.replace(/\.part$/, ''), null);
    if (!session || hasEnded(session.state)) await rm(path, { force: true });
  }
}
