/** What the embedded database alone has to prove: that it outlives its process, and that nobody else is in it. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/flow/clock.ts';
import { connect } from '../../src/store/connect.ts';
import { type Embedded, openEmbedded } from '../../src/store/embedded.ts';
import { openStore } from '../../src/store/open-store.ts';
import { freshFolder, layBlankDatabase } from '../support/databases.ts';
import { GatewayProcess } from '../support/gateway-process.ts';

const LOGIN = { database: 'postgres', username: 'postgres', onnotice: () => {} };

let folder: Awaited<ReturnType<typeof freshFolder>>;
beforeAll(async () => {
  folder = await freshFolder();
  await layBlankDatabase(folder.path);
});
afterAll(() => folder?.remove());

// Both parts work on one database, the second on what the first leaves.
describe('a data folder', () => {
  const open = () => openStore({ databaseUrl: null, dataDir: folder.path, clock: systemClock });
  const startGateway = () => {
    const gateway = new GatewayProcess(folder.path, 'ses_1');
    onTestFinished(() => gateway.kill());
    return gateway;
  };
  let acknowledged = 0;

  it('keeps its process alone in it', async () => {
    const first = startGateway();
    await first.printed(2);
    const second = startGateway();
    expect(await second.ended()).toBe(1);
    expect(second.lastLine).toContain('conflict');
    expect(second.lastLine).toContain(`process ${first.pid}`);
    expect(second.lastLine).toContain(folder.path);
    await first.kill();
    acknowledged = Number(first.lastLine);
    expect(acknowledged).toBeGreaterThan(0);
  });

  it('keeps every acknowledged event through kill -9, and lets the next process in at once', async () => {
    for (const count of [30, 200]) {
      const gateway = startGateway();
      await gateway.printed(count);
      await gateway.kill();
      expect(Number(gateway.lastLine)).toBeGreaterThan(acknowledged);
      acknowledged = Number(gateway.lastLine);
    }
    const store = await open();
    const events = await store.log.read('ses_1', 0, 100_000);
    // The last one may have been stored without anyone having been told.
    expect([acknowledged, acknowledged + 1]).toContain(events.length);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    await store.close();
  });

  it('is closed to others, also where only its socket shows that somebody is in it', async () => {
    const store = await open();
    expect((await stat(join(folder.path, 'socket'))).mode & 0o777).toBe(0o700);
    for (const file of await readdir(folder.path))
      if (file.startsWith('owner-')) await rm(join(folder.path, file));
    await expect(open()).rejects.toMatchObject({ code: 'conflict' });
    await store.ping();
    await store.close();
    expect(await readdir(folder.path)).toEqual(['postgres']);
  });
});

describe('an embedded database', () => {
  let embedded: Embedded;
  let sql: Sql;

  beforeAll(async () => {
    // So deep that a socket in it would have too long a name.
    const dataDir = join(folder.path, ...Array.from({ length: 12 }, () => 'a-rather-long-name'));
    await mkdir(dataDir, { recursive: true });
    await rename(join(folder.path, 'postgres'), join(dataDir, 'postgres'));
    embedded = await openEmbedded(dataDir);
    sql = connect(embedded.url, { max: 8, settings: {} });
    await sql`create table numbers (n int)`;
  });
  afterAll(async () => {
    await sql?.end({ timeout: 1 });
    await embedded?.close();
  });

  it('answers each of many connections what that one has asked', async () => {
    const asked = Array.from({ length: 400 }, (_, n) => n);
    const ask = async (n: number) => {
      if (n % 3 === 0) return (await sql<{ n: number }[]>`select ${n}::int as n`)[0]!.n;
      if (n % 3 === 1) return Number((await sql<{ t: string }[]>`select ${n}::text as t`)[0]!.t);
      return await sql.begin(async (transaction) => {
        await transaction`insert into numbers values (${n})`;
        return (await transaction<{ n: number }[]>`select max(n) as n from numbers`)[0]!.n;
      });
    };
    const answers = await Promise.all(asked.map(ask));
    for (const n of asked) if (n % 3 !== 2) expect(answers[n]).toBe(n);
    const inserted = await sql<{ n: number }[]>`select n from numbers order by n`;
    expect(inserted.map(({ n }) => n)).toEqual(asked.filter((n) => n % 3 === 2));
  });

  it('goes on after errors of one connection among others', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, n) => sql`select 1 / ${n % 2}::int as one`),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(
      outcomes.map((_, n) => (n % 2 ? 'fulfilled' : 'rejected')),
    );
  });

  it('rolls back what a lost connection left open', async () => {
    const other = postgres({ host: new URL(embedded.url).searchParams.get('host')!, max: 1, ...LOGIN });
    const broken = other.begin(async (transaction) => {
      await transaction`insert into numbers values (-1)`;
      await other.end({ timeout: 0 });
      await transaction`select 1`;
    });
    await expect(broken).rejects.toThrow();
    expect(await sql`select n from numbers where n = -1`).toHaveLength(0);
  });

  it('undoes a query whose connection is lost before its end', async () => {
    const socket = openSocket(`${new URL(embedded.url).searchParams.get('host')}/.s.PGSQL.5432`);
    const text = (...parts: string[]) => Buffer.from(`${parts.join('\0')}\0`);
    const packet = (type: string, body: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(4 + body.length);
      return Buffer.concat([Buffer.from(type), length, body]);
    };
    const version = Buffer.from([0, 3, 0, 0]);
    socket.write(packet('', Buffer.concat([version, text('user', 'postgres', 'database', 'postgres', '')])));
    socket.write(packet('P', Buffer.concat([text('', 'insert into numbers values (-2)'), Buffer.alloc(2)])));
    socket.write(packet('B', Buffer.concat([text('', ''), Buffer.alloc(6)])));
    socket.write(packet('E', Buffer.concat([text(''), Buffer.alloc(4)])));
    socket.write(packet('H', Buffer.alloc(0)));
    await new Promise<void>((resolve) => {
      let heard = '';
      socket.on('data', (bytes) => {
        heard += bytes.toString('latin1');
        if (heard.includes('INSERT 0 1')) resolve();
      });
    });
    socket.destroy();
    expect(await sql`select n from numbers where n = -2`).toHaveLength(0);
  });

  it('comes back with its data when its thread is ended', async () => {
    await sql`insert into numbers values (1000)`;
    embedded.restart();
    await expect
      .poll(() => sql`select n from numbers where n = 1000`.catch(() => []), { timeout: 15_000 })
      .toHaveLength(1);
  });
});
