/** An upload whose session is stored, and the answer that says so lost: asked for again, it is there, audio and all. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { hasEnded, type SessionRecord } from '../../src/domain/session.ts';
import type { SessionStore, Store } from '../../src/store/store.ts';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { databases, type TestDatabase } from '../support/databases.ts';
import { isLong } from './effort.ts';
import { until } from './support/jobs.ts';

const ALL = { state: null, cursor: null, limit: 100 };
/** A bound for what hangs. */
const WITHIN_MS = 60_000;

/** The first call does what it is to do, and nobody is told. */
function lost<A extends unknown[], R>(call: (...given: A) => Promise<R>): (...given: A) => Promise<R> {
  let calls = 0;
  return async (...given) => {
    const result = await call(...given);
    if (calls++ === 0) throw new Failure('storage_unavailable', 'The answer got lost.');
    return result;
  };
}

function forgetful(database: TestDatabase): TestDatabase {
  const wrap = (store: Store): Store => {
    const { create, createOnce } = store.sessions;
    const sessions: SessionStore = { ...store.sessions, create: lost(create), createOnce: lost(createOnce) };
    return Object.create(store, { sessions: { value: sessions } }) as Store;
  };
  return {
    ...database,
    async open(clock) {
      const { store, cleanup } = await database.open(clock);
      return { store: wrap(store), cleanup };
    },
  };
}

describe.each(databases())('an upload whose answer gets lost, on $name', (database) => {
  let gateway: TestGateway;
  afterEach(() => gateway?.close());

  const upload = async (key: string | null) => {
    const form = new FormData();
    form.set('options', JSON.stringify({ audio: { encoding: 'pcm_s16le' } }));
    form.set('file', new Blob([new Uint8Array(32_000)]), 'a.raw');
    const headers: Record<string, string> = key === null ? {} : { 'idempotency-key': key };
    const response = await gateway.request('/v1/sessions', { method: 'POST', body: form, headers });
    return { status: response.status, body: (await response.json()) as { id: string; code: string } };
  };

  it.each([
    { how: 'under a key', key: 'a-key', sessions: 1 },
    { how: 'without one', key: null, sessions: 2 },
  ])('is worked on all the same, $how', async ({ key, sessions }) => {
    gateway = await openGateway({ database: forgetful(database), recogniser: deaf });
    expect(await upload(key)).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } });
    const { store, config } = gateway;
    const list = async () => (await store.sessions.list('local', ALL)).items.map(({ record }) => record);
    const [{ id }] = (await list()) as [SessionRecord];
    expect(existsSync(join(config.DATA_DIR, 'uploads', id))).toBe(true);
    if (store.kind === 'postgres') expect(await store.uploads.get(id, 0)).not.toBeNull();

    expect((await upload(key)).status).toBe(202);
    expect(await list()).toHaveLength(sessions);
    // The next sweep finds it: half a minute away.
    if (!isLong) return;
    const haveEnded = async () => (await list()).every(({ state }) => hasEnded(state));
    await until(haveEnded, WITHIN_MS, async () => JSON.stringify(await list()));
    expect(await list()).toMatchObject(Array(sessions).fill({ state: 'DONE' }));
  });
});
