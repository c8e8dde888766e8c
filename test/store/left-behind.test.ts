/** What a process left in its spool, and the one that comes after it. */
import { expect, it } from 'vitest';
import { systemClock as clock } from '../../src/flow/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import { freshFolder, freshPostgres, hasPostgres } from '../support/databases.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { create, final, started } from './suites/fixture.ts';

it.skipIf(!hasPostgres)('is in the log before its sessions can be claimed anew', async () => {
  const database = await freshPostgres();
  const folder = await freshFolder();
  const { hostname: host, port } = new URL(database.url);
  const network = new TcpProxy({ host, port: Number(port || 5432) });
  await network.set('forward');
  const url = new URL(database.url);
  url.host = `127.0.0.1:${network.port}`;
  const errors: unknown[] = [];
  const spool = { folder: folder.path, maxBytes: 1_000_000, onError: (error: unknown) => errors.push(error) };
  const open = () => openStore({ databaseUrl: url.href, dataDir: folder.path, clock, spool });

  const before = await open();
  const { id } = await create(before);
  const claim = await before.sessions.claim(id, 'before', clock.now() - 1);
  await network.set('refuse');
  const turn = { fence: claim!.fence, afterSeq: 0 };
  const told = await before.log.append(id, [started, final(0), final(2000)], turn);
  expect(before.waiting).toBe(1);
  await before.close();

  await network.set('forward');
  const after = await open();
  expect(after.waiting).toBe(0);
  expect(await after.sessions.claim(id, 'after', clock.now() + 60_000)).toMatchObject({ crashes: 1 });
  expect(await after.log.read(id, 0, 10)).toEqual(told);
  expect(errors).toEqual([]);
  await after.close();
  await network.close();
  await folder.remove();
  await database.drop();
});
