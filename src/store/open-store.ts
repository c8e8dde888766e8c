/** Opens the store on whichever database the settings name. */
import type { Clock } from '../flow/clock.ts';
import { type DatabaseOptions, openDatabase } from './database.ts';
import { eventLog } from './event-log.ts';
import { sessionStore } from './sessions.ts';
import type { Store } from './store.ts';
import { tokenStore } from './tokens.ts';

export interface StoreOptions extends DatabaseOptions {
  /** For the instants that are stored. */
  readonly clock: Clock;
}

/**
 * Opens the store and brings its tables up to date.
 * @throws Failure `storage_unavailable` where PostgreSQL does not answer, `conflict` where another process has
 * the data folder of an embedded database.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const database = await openDatabase(options);
  return {
    sessions: sessionStore(database, options.clock),
    log: eventLog(database, options.clock),
    tokens: tokenStore(database, options.clock),
    kind: database.kind,
    connectionString: database.connectionString,
    async ping() {
      await database.run(({ sql }) => sql`select 1`);
    },
    close: () => database.close(),
  };
}
