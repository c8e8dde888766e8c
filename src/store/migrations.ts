/** Brings a database's tables up to date. */
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import type { Sql } from 'postgres';

/** Beside `src/` and `dist/` alike. */
const MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any fixed number, the same in every version: nodes that boot together take turns by it. */
const LOCK_KEY = 7_231_905;

/**
 * Applies what is missing of `drizzle/`, one node at a time.
 * @param sql A client with exactly one connection: the lock belongs to it, and ends with it.
 */
export async function applyMigrations(sql: Sql): Promise<void> {
  await sql`select pg_advisory_lock(${LOCK_KEY})`;
  try {
    await migrate(drizzle(sql), { migrationsFolder: MIGRATIONS });
  } finally {
    await sql`select pg_advisory_unlock(${LOCK_KEY})`;
  }
}
