/**
 * A connection to PostgreSQL, or to the embedded database, which speaks the same protocol: nothing above this
 * file knows which. All access goes through {@link Database.run}, so that errors and waits are bounded in one
 * place.
 */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { Failure } from '../domain/failure.ts';
import { connect } from './connect.ts';
import { type Embedded, openEmbedded } from './embedded.ts';
import { applyMigrations } from './migrations.ts';
import { storageFailure, storageUnavailable } from './storage-failure.ts';

/** Two views of one pool: SQL as it is, prepared, for what runs often; drizzle for the rest. */
export interface Client {
  readonly sql: Sql;
  readonly orm: PostgresJsDatabase;
}

/** How a database is used, by kind. */
interface Manner {
  readonly kind: 'postgres' | 'embedded';
  readonly poolSize: number;
  /** The server gives up on a statement after this long; null where it cannot be told to. */
  readonly statementTimeoutMs: number | null;
  /** What is unanswered after this long never will be: it was sent to a server that is gone. */
  readonly answerTimeoutMs: number;
}

const POSTGRES: Manner = {
  kind: 'postgres',
  poolSize: 10,
  statementTimeoutMs: 8_000,
  answerTimeoutMs: 10_000,
};

const EMBEDDED: Manner = {
  kind: 'embedded',
  // It does one thing at a time; more connections would only wait in another place.
  poolSize: 4,
  // It has one backend: a setting of one connection would be one of all.
  statementTimeoutMs: null,
  answerTimeoutMs: 30_000,
};

/** How long a node waits for its turn to migrate. */
const MIGRATION_LOCK_TIMEOUT_MS = 60_000;
/** How long `close` waits for what is under way. */
const CLOSE_TIMEOUT_S = 2;

export class Database {
  readonly kind: 'postgres' | 'embedded';
  /** For libraries with a client of their own: embedded, they may open ten connections in all. */
  readonly connectionString: string;
  readonly #manner: Manner;
  readonly #embedded: Embedded | null;
  #client: Client;

  /** Use {@link openDatabase}. */
  constructor(url: string, manner: Manner, embedded: Embedded | null) {
    this.kind = manner.kind;
    this.connectionString = url;
    this.#manner = manner;
    this.#embedded = embedded;
    this.#client = this.#connect();
  }

  /**
   * Does some work on the database.
   * @throws Failure `storage_unavailable` where no answer comes (the work may have been done all the same), and
   * what `storageFailure` makes of other errors.
   */
  async run<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client;
    let deadline: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      // Real time, whatever clock the gateway runs on: the wait for another process is real.
      deadline = setTimeout(() => {
        reject(storageUnavailable(new Error(`no answer within ${this.#manner.answerTimeoutMs} ms`)));
        this.#abandon(client);
      }, this.#manner.answerTimeoutMs);
    });
    try {
      return await Promise.race([work(client), silence]);
    } catch (error) {
      throw storageFailure(error);
    } finally {
      clearTimeout(deadline);
    }
  }

  async close(): Promise<void> {
    await this.#client.sql.end({ timeout: CLOSE_TIMEOUT_S });
    await this.#embedded?.close();
  }

  #connect(): Client {
    const { poolSize: max, statementTimeoutMs } = this.#manner;
    const settings = statementTimeoutMs === null ? {} : { statement_timeout: statementTimeoutMs };
    const sql = connect(this.connectionString, { max, settings });
    return { sql, orm: drizzle(sql) };
  }

  /** Gives up connections that do not answer: what waits on them fails, and new work gets new ones. */
  #abandon(client: Client): void {
    if (this.#client !== client) return;
    this.#client = this.#connect();
    void client.sql.end({ timeout: 0 });
    this.#embedded?.restart();
  }
}

async function migrate(url: string): Promise<void> {
  const settings = { lock_timeout: MIGRATION_LOCK_TIMEOUT_MS };
  const sql = connect(url, { max: 1, settings });
  try {
    await applyMigrations(sql);
  } finally {
    await sql.end({ timeout: CLOSE_TIMEOUT_S });
  }
}

export interface DatabaseOptions {
  /** A `postgresql://` address, or null for the embedded database. */
  readonly databaseUrl: string | null;
  /** Where the embedded database lives. */
  readonly dataDir: string;
  /** Milliseconds after which an unanswered query is given up; 10,000, embedded 30,000. */
  readonly answerTimeoutMs?: number;
}

/**
 * Opens a database and brings its tables up to date.
 * @throws Failure `storage_unavailable` where PostgreSQL does not answer, `conflict` where another process has
 * the data folder.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, dataDir, answerTimeoutMs } = options;
  if (databaseUrl !== null && !URL.canParse(databaseUrl))
    throw new Failure('bad_request', 'The database address is not a URL.');
  const embedded = databaseUrl === null ? await openEmbedded(dataDir) : null;
  const url = databaseUrl ?? embedded!.url;
  const manner = embedded ? EMBEDDED : POSTGRES;
  try {
    await migrate(url);
    return new Database(url, { ...manner, ...(answerTimeoutMs && { answerTimeoutMs }) }, embedded);
  } catch (error) {
    await embedded?.close();
    throw storageFailure(error);
  }
}
