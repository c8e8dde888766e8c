/** Nodes that start at the same moment on a database that none of them has prepared yet. */
import { describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../src/flow/clock.ts';
import { Recordings } from '../../src/jobs/recordings.ts';
import { Uploads } from '../../src/jobs/uploads.ts';
import { openStore } from '../../src/store/open-store.ts';
import { freshFolder, freshPostgres, hasPostgres } from '../support/databases.ts';

describe.skipIf(!hasPostgres)('the queue of recordings', () => {
  it('is made once by nodes that start at once', async () => {
    const database = await freshPostgres();
    const folder = await freshFolder();
    const stores = await Promise.all(
      [1, 2, 3, 4].map(() => openStore({ databaseUrl: database.url, dataDir: '', clock })),
    );
    const errors: unknown[] = [];
    const nodes = await Promise.all(
      stores.map(async (store) => {
        const { sessions } = store;
        const fetch = () => Promise.reject(new Error('nothing is to be fetched here'));
        const mayPass = () => false;
        const uploads = await Uploads.open({
          folder: folder.path,
          sessions,
          shared: null,
          clock,
          fetch,
          mayPass,
        });
        const transcribe = async () => true;
        const onError = (error: unknown) => errors.push(error);
        return await Recordings.open({ store, uploads, maxQueued: 1, atOnce: 0, transcribe, onError });
      }),
    );
    for (const node of nodes) await node.admit();
    expect(errors).toEqual([]);
    await Promise.all(nodes.map((node) => node.close()));
    await Promise.all(stores.map((store) => store.close()));
    await folder.remove();
    await database.drop();
  });
});
