/** Sessions that are long without anybody having to speak: written by a store of the test's own. */

import type { DurableDraft, DurableEvent } from '../../../src/domain/event.ts';
import { DEFAULT_OPTIONS } from '../../../src/domain/options.ts';
import type { Random } from '../../../src/flow/chance.ts';
import { type Clock, systemClock } from '../../../src/flow/clock.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { freshFolder, freshPostgres, layBlankDatabase } from '../../support/databases.ts';

/** The tenant of a gateway without keys. */
const TENANT = 'local';

/** Events written in one go. */
const BATCH = 200;

/** A gateway that starts at once, since nobody speaks to it. */
export const DEAF = { STT: 'openai', STT_MODEL: 'none', STT_BASE_URL: 'http://127.0.0.1:9/v1', LLM: 'off' };

/** Pieces of text that streams get wrong where they can: line ends, field names, characters of several bytes. */
const PIECES = ['data: x\n\n', '\r\n', 'id: 7\n', ' ', 'speech ', '말하기 ', '🎙️', '\u2028', '"\\"', ': '];

const textOf = (length: number, random: Random): string =>
  Array.from({ length }, () => PIECES[Math.floor(PIECES.length * random())]!).join('');

/** A final with a text of up to so many pieces. */
export const finalOf = (n: number, pieces: number, random: Random): DurableDraft => ({
  type: 'transcript.final',
  utteranceId: `utt_${n}`,
  startMs: n * 1000,
  endMs: n * 1000 + 900,
  text: textOf(1 + Math.floor(pieces * random()), random),
  language: 'en',
  confidence: 0.9,
});

/** Opens a session with its first event. */
export async function beginSession(store: Store, id: string): Promise<void> {
  const { audio } = DEFAULT_OPTIONS;
  const session = { id, tenantId: TENANT, source: 'live', options: DEFAULT_OPTIONS, model: 'none' } as const;
  await store.sessions.create({ ...session, durationMs: null });
  await store.log.append(id, [{ type: 'session.started', audio, language: 'auto', model: 'none' }]);
}

export async function endSession(store: Store, id: string): Promise<void> {
  const receivedMs = 1_000_000_000;
  const none = { transcribedMs: 0, silenceMs: receivedMs, suppressedMs: 0, finals: 0, lastSeq: 0 };
  await store.log.append(id, [{ type: 'session.done', receipt: { receivedMs, ...none, endedBy: 'client' } }]);
}

/** A finished session with so many finals; its log. */
export async function writeSession(
  store: Store,
  id: string,
  finals: number,
  pieces: number,
  random: Random,
): Promise<DurableEvent[]> {
  await beginSession(store, id);
  for (let n = 0; n < finals; n += BATCH) {
    const count = Math.min(BATCH, finals - n);
    await store.log.append(
      id,
      Array.from({ length: count }, (_, at) => finalOf(n + at, pieces, random)),
    );
  }
  await endSession(store, id);
  return await store.log.read(id, 0, finals + 2);
}

/** Where a gateway finds what a test has written before it, and what it needs for that. */
export interface Written {
  readonly env: Readonly<Record<string, string>>;
  readonly dataDir: string;
  cleanup(): Promise<void>;
}

/** Lets a test write into a database of a kind, before a gateway is started on it. */
export async function writeFirst(
  kind: 'postgres' | 'embedded',
  write: (store: Store) => Promise<void>,
  clock: Clock = systemClock,
): Promise<Written> {
  const folder = await freshFolder();
  const database = kind === 'postgres' ? await freshPostgres() : null;
  if (!database) await layBlankDatabase(folder.path);
  const store = await openStore({ databaseUrl: database?.url ?? null, dataDir: folder.path, clock });
  await write(store);
  await store.close();
  return {
    env: { ...DEAF, ...(database && { DATABASE_URL: database.url }) },
    dataDir: folder.path,
    async cleanup() {
      await folder.remove();
      await database?.drop();
    },
  };
}
