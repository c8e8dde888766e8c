/** Opens the store on whichever database the settings name. */
import type { Clock } from '../flow/clock.ts';
import { type DatabaseOptions, openDatabase } from './database.ts';
import { deliveryStore } from './deliveries.ts';
import { eventLog } from './event-log.ts';
import { sessionStore } from './sessions.ts';
import { Spool } from './spool.ts';
import { spooledLog } from './spooled-log.ts';
import type { Store } from './store.ts';
import { tokenStore } from './tokens.ts';
import { uploadStore } from './uploads.ts';

/** How long a start waits at most for what an earlier process left in the spool. */
const LEFT_BEHIND_MS = 60_000;

export interface SpoolOptions {
  /** Of this node's own. */
  readonly folder: string;
  readonly maxBytes: number;
  /** Told what becomes of events that waited, where it is not what should. */
  readonly onError: (error: unknown) => void;
}

export interface StoreOptions extends DatabaseOptions {
  /** For the instants that are stored. */
  readonly clock: Clock;
  /** Where events wait while the database is away; without it they are refused then. */
  readonly spool?: SpoolOptions;
}

/**
 * Opens the store and brings its tables up to date.
 * @throws Failure `storage_unavailable` where PostgreSQL does not answer, `conflict` where another process has
 * the data folder of an embedded database.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { clock } = options;
  const database = await openDatabase(options);
  // What an earlier process left is stored before anybody can be told.
  const untold = new Map<string, number>();
  let onStored: Parameters<Store['onStored']>[0] = (sessionId, seq) => untold.set(sessionId, seq);
  const log = await withSpool(eventLog(database, clock), options, (sessionId, seq) =>
    onStored(sessionId, seq),
  ).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  return {
    sessions: sessionStore(database, clock),
    log,
    tokens: tokenStore(database, clock),
    deliveries: deliveryStore(database, clock),
    uploads: uploadStore(database, clock),
    kind: database.kind,
    connectionString: database.connectionString,
    isWaiting: (sessionId) => log.isWaiting(sessionId),
    onStored(tell) {
      onStored = tell;
      for (const [sessionId, seq] of untold) tell(sessionId, seq);
      untold.clear();
    },
    get waiting() {
      return log.waiting;
    },
    nowMs: () =>
      database.run(async ({ sql }) => {
        const [row] = await sql<{ ms: number }[]>`
          select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
        return row!.ms;
      }),
    async ping() {
      await database.run(({ sql }) => sql`select 1`);
    },
    async close() {
      await log.close();
      await database.close();
    },
  };
}

async function withSpool(
  log: ReturnType<typeof eventLog>,
  { clock, spool: options }: StoreOptions,
  onStored: (sessionId: string, seq: number) => void,
) {
  if (!options) return { ...log, waiting: 0, isWaiting: () => false, close: async () => {} };
  const { folder, maxBytes, onError } = options;
  const spooled = spooledLog(log, await Spool.open(folder, { maxBytes }), { clock, onError, onStored });
  // What an earlier process left is stored first: once its sessions are claimed anew, it would be refused.
  await spooled.whenDrained(AbortSignal.timeout(LEFT_BEHIND_MS)).catch(onError);
  return spooled;
}
