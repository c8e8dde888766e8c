/** What only the database's bus has to reckon with. */
import { connect, createServer, type Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PostgresBus } from '../../src/bus/postgres-bus.ts';
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { meet, Node } from './nodes.ts';

/** A way to a server on which the connections so far can fall silent while new ones get through. */
async function forgetfulWay(target: { host: string; port: number }) {
  const pairs: [Socket, Socket][] = [];
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.pipe(upstream).pipe(client);
    pairs.push([client, upstream]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    forget() {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream).resume();
        upstream.unpipe(client).resume();
      }
    },
    close() {
      server.close();
      for (const socket of pairs.flat()) socket.destroy();
    },
  };
}

describe.runIf(hasPostgres)('the bus over PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof freshPostgres>>;
  let sql: Sql;
  let nodes: Node[] = [];
  const errors: unknown[] = [];

  function join(nodeId: string, url: string, clock: Clock = systemClock): Node {
    const onError = (error: unknown) => void errors.push(error);
    const node = new Node(new PostgresBus({ url, nodeId, clock, onError }));
    nodes.push(node);
    return node;
  }
  const connections = async (): Promise<number> => {
    const [row] = await sql`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name = 'earshot'`;
    return row!.count;
  };

  beforeEach(async () => {
    database = await freshPostgres();
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
    nodes = [];
    errors.length = 0;
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.bus.close()));
    await sql.end({ timeout: 1 });
    await database.drop();
  });

  it('listens anew when its connections died without a word', async () => {
    const address = new URL(database.url);
    const way = await forgetfulWay({ host: address.hostname, port: Number(address.port || 5432) });
    address.host = `127.0.0.1:${way.port}`;
    const clock = new FakeClock();
    join('behind', address.href, clock);
    join('beside', database.url);
    await meet(nodes);
    way.forget();
    await clock.advance(29_999);
    expect(errors).toEqual([]);
    await clock.advance(1);
    expect(errors.map(String)).toEqual([expect.stringMatching(/listening anew/)]);
    // What was on its way when the connection died is sent again after a while.
    await meet(nodes, () => clock.advance(100));
    way.close();
  });

  it('leaves its connections alone while it hears its own calls', async () => {
    const clock = new FakeClock();
    const node = join('a', database.url, clock);
    const other = join('b', database.url);
    await meet(nodes);
    await other.bus.close();
    const pids = () => sql`
      select pid from pg_stat_activity
      where datname = current_database() and application_name = 'earshot' order by pid`;
    await vi.waitFor(async () => expect(await connections()).toBe(2));
    const before = await pids();
    let calls = 0;
    const ear = postgres(database.url, { max: 1, onnotice: () => {} });
    await ear.listen('earshot', () => calls++);
    for (let call = 1; call <= 6; call++) {
      await clock.advance(10_000);
      await vi.waitFor(() => expect(calls).toBe(call));
    }
    await ear.end({ timeout: 1 });
    expect(errors).toEqual([]);
    expect(await pids()).toEqual(before);
    expect(node.bus.counts.malformed).toBe(0);
  });

  it('takes two connections, and gives them back', async () => {
    await meet([join('a', database.url), join('b', database.url)]);
    expect(await connections()).toBe(4);
    await Promise.all(nodes.map((node) => node.bus.close()));
    await vi.waitFor(async () => expect(await connections()).toBe(0));
  });
});
