/** Uploads in the database, in pieces, so that whichever node has room does the work. */
import type { Clock } from '../flow/clock.ts';
import type { Database } from './database.ts';
import type { UploadStore } from './store.ts';

export function uploadStore(database: Database, clock: Clock): UploadStore {
  return {
    async put(sessionId, n, bytes) {
      await database.run(
        ({ sql }) => sql`
          insert into upload_chunks (session_id, n, bytes, created_at_ms)
          values (${sessionId}, ${n}, ${Buffer.from(bytes)}, ${clock.now()})`,
      );
    },

    get: (sessionId, n) =>
      database.run(async ({ sql }) => {
        const [row] = await sql<{ bytes: Uint8Array }[]>`
          select bytes from upload_chunks where session_id = ${sessionId} and n = ${n}`;
        return row?.bytes ?? null;
      }),

    async remove(sessionId) {
      await database.run(({ sql }) => sql`delete from upload_chunks where session_id = ${sessionId}`);
    },

    removeOrphans: (beforeMs) =>
      database.run(async ({ sql }) => {
        const gone = await sql`
          delete from upload_chunks where created_at_ms < ${beforeMs} and not exists (
            select from sessions
            where sessions.id = upload_chunks.session_id and state in ('PENDING', 'IN_PROGRESS')
          )`;
        return gone.count;
      }),
  };
}
