/** The databases that storage is tested on: the embedded one always, PostgreSQL where one answers. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres, { type Sql } from 'postgres';
import packageJson from '../../package.json' with { type: 'json' };
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { openEmbedded } from '../../src/store/embedded.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and leaves nothing behind. */
  cleanup(): Promise<void>;
}

export interface TestDatabase {
  readonly name: 'embedded' | 'postgres';
  /** A store on a database of its own, empty but for its tables. */
  open(clock?: Clock): Promise<OpenedStore>;
}

const ADDRESSES = [
  process.env.TEST_DATABASE_URL,
  'postgresql://postgres@127.0.0.1:5432/test',
  'postgresql://root@127.0.0.1:5432/test',
];

/** The first address that answers. */
async function findPostgres(): Promise<string | null> {
  for (const url of ADDRESSES) {
    if (!url) continue;
    const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
    try {
      await sql`select 1`;
      return url;
    } catch {
      // Not here; the next one.
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
  return null;
}

const postgresUrl = await findPostgres();
// An address that was given must work: passing over it would hide that PostgreSQL is not tested.
if (process.env.TEST_DATABASE_URL && postgresUrl !== process.env.TEST_DATABASE_URL)
  throw new Error('TEST_DATABASE_URL does not answer');

async function asAdmin(work: (sql: Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(postgresUrl!, { max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Where PostgreSQL answers, or null: for tests of what only it can do. */
export const hasPostgres = postgresUrl !== null;

/**
 * Makes an empty PostgreSQL database. Use only where {@link hasPostgres}.
 * @param folder Where its tables lie, on the server's machine, which is this one; the server's log lies elsewhere.
 */
export async function freshPostgres(folder?: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `earshot_test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(async (sql) => {
    if (folder === undefined) return await sql`create database ${sql(name)}`;
    const [row] = await sql<{ data_directory: string }[]>`show data_directory`;
    const { uid, gid } = await stat(row!.data_directory);
    await chown(folder, uid, gid);
    await sql.unsafe(`create tablespace ${name} location '${folder}'`);
    return await sql.unsafe(`create database ${name} tablespace ${name}`);
  });
  const url = new URL(postgresUrl!);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () =>
      asAdmin(async (sql) => {
        await sql`drop database if exists ${sql(name)} with (force)`;
        await sql`drop tablespace if exists ${sql(name)}`;
      }),
  };
}

/** Makes an empty folder. */
export async function freshFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'earshot-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** An embedded database as it is before anything is in it; making one takes seconds, copying it does not. */
const BLANK = fileURLToPath(
  new URL(
    `../../node_modules/.earshot/blank-pglite-${packageJson.dependencies['@electric-sql/pglite']}`,
    import.meta.url,
  ),
);

let making: Promise<void> | null = null;

/** Fills a folder with an empty embedded database, made once per machine. */
export async function layBlankDatabase(dataDir: string): Promise<void> {
  if (!existsSync(BLANK)) await (making ??= makeBlankDatabase());
  await cp(BLANK, dataDir, { recursive: true });
}

async function makeBlankDatabase(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-blank-'));
  const database = await openEmbedded(folder);
  await database.close();
  await mkdir(dirname(BLANK), { recursive: true });
  await cp(folder, `${BLANK}-${process.pid}`, { recursive: true });
  await rm(folder, { recursive: true });
  // Another test process may have been quicker: its own is as good.
  await rename(`${BLANK}-${process.pid}`, BLANK).catch(() =>
    rm(`${BLANK}-${process.pid}`, { recursive: true }),
  );
}

const embedded: TestDatabase = {
  name: 'embedded',
  async open(clock = systemClock) {
    const folder = await freshFolder();
    await layBlankDatabase(folder.path);
    const store = await openStore({ databaseUrl: null, dataDir: folder.path, clock });
    return { store, cleanup: () => store.close().finally(folder.remove) };
  },
};

const onPostgres: TestDatabase = {
  name: 'postgres',
  async open(clock = systemClock) {
    const database = await freshPostgres();
    const store = await openStore({ databaseUrl: database.url, dataDir: '', clock });
    return { store, cleanup: () => store.close().finally(database.drop) };
  },
};

/** For `describe.each`: `describe.each(databases())('… on $name', ({ open }) => …)`. */
export function databases(): TestDatabase[] {
  return hasPostgres ? [embedded, onPostgres] : [embedded];
}
