/** The transports that the bus is tested on: PostgreSQL and NATS, each where one answers. */
import { randomUUID } from 'node:crypto';
import { connect } from '@nats-io/transport-node';
import postgres from 'postgres';
import { expect } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { openBus } from '../../src/bus/open-bus.ts';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { findNats, NATS } from '../support/nats.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** A wire of its own, which nobody else speaks on. */
export interface Wire {
  /** A node's bus on it. */
  open(nodeId: string): Bus;
  /** A node's bus on it that is not taken down with the others. */
  openBeside(nodeId: string): Bus;
  /** Says something that no bus has said. */
  say(text: string): Promise<void>;
  /** Cuts off every node that listens, at once and without their doing. */
  cut(): Promise<void>;
  /** Cuts the nodes off, and lets nobody in until it is made whole again. */
  takeDown(): Promise<void>;
  bringUp(): Promise<void>;
  close(): Promise<void>;
}

export interface Transport {
  readonly name: 'PostgreSQL' | 'NATS';
  readonly isThere: boolean;
  /** More characters than one message may have. */
  readonly tooManyChars: number;
  readonly lay: () => Promise<Wire>;
}

const nats = await findNats();
if (nats === null) console.warn(`No NATS answers at ${NATS.host}:${NATS.port}: the bus is not tested on it.`);

async function layPostgres(): Promise<Wire> {
  const database = await freshPostgres();
  const target = new URL(database.url);
  const proxy = new TcpProxy({ host: target.hostname, port: Number(target.port || 5432) });
  await proxy.set('forward');
  const address = new URL(database.url);
  address.host = `127.0.0.1:${proxy.port}`;
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  const join = (nodeId: string, databaseUrl: string) =>
    openBus({ nodeId, natsUrl: null, databaseUrl, onError: () => {} });
  return {
    open: (nodeId) => join(nodeId, address.href),
    openBeside: (nodeId) => join(nodeId, database.url),
    say: async (text) => void (await sql.notify('earshot', text)),
    async cut() {
      const listening = await sql`
        select pg_terminate_backend(pid, 5000) as ended from pg_stat_activity
        where datname = current_database() and application_name = 'earshot' and query ilike 'listen %'`;
      expect(listening.length).toBeGreaterThan(0);
      expect(listening.every(({ ended }) => ended)).toBe(true);
    },
    takeDown: () => proxy.set('refuse'),
    bringUp: () => proxy.set('forward'),
    async close() {
      await sql.end({ timeout: 1 });
      await proxy.close();
      await database.drop();
    },
  };
}

async function layNats(): Promise<Wire> {
  const natsPrefix = `test-${randomUUID()}`;
  const proxy = new TcpProxy(NATS);
  await proxy.set('forward');
  const connection = await connect({
    servers: `${NATS.host}:${NATS.port}`,
    reconnect: false,
    timeout: 2_000,
  });
  const join = (nodeId: string, port: number) => {
    const natsUrl = `nats://127.0.0.1:${port}`;
    return openBus({ nodeId, natsUrl, natsPrefix, databaseUrl: null, onError: () => {} });
  };
  return {
    open: (nodeId) => join(nodeId, proxy.port),
    openBeside: (nodeId) => join(nodeId, NATS.port),
    async say(text) {
      connection.publish(`${natsPrefix}.events`, text);
      await connection.flush();
    },
    cut: () => proxy.set('forward'),
    takeDown: () => proxy.set('refuse'),
    bringUp: () => proxy.set('forward'),
    async close() {
      await connection.close();
      await proxy.close();
    },
  };
}

export const TRANSPORTS: readonly Transport[] = [
  { name: 'PostgreSQL', isThere: hasPostgres, tooManyChars: 8_000, lay: layPostgres },
  {
    name: 'NATS',
    isThere: nats !== null,
    tooManyChars: nats?.maxPayloadBytes ?? 0,
    lay: layNats,
  },
];
