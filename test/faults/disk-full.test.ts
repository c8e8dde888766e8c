/**
 * Disks that are full while people speak (G.40): recordings are refused as such, who speaks is heard on, and what could
 * not be stored is there once there is room.
 */
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshPostgres, hasPostgres, layBlankDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';
import { chanceFor, keepResult, times } from './effort.ts';
import { onDatabase } from './support/jobs.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { talkOf } from './support/known-speech.ts';
import { gauge } from './support/metrics.ts';
import { SmallDisk } from './support/small-disk.ts';
import { Speaker } from './support/speaker.ts';

const FACTOR = times(4, 1);
const UTTERANCES = times(10, 40);
const EVENTUALLY = { timeout: 60_000, interval: 50 };

/** An empty database takes 10 MiB of PostgreSQL, and 40 embedded. */
const DISK_MIB = 120;
/** More than either has left of the pages it holds already. */
const RECORDING = Buffer.alloc(4 * 1024 * 1024, 1);

const chance = chanceFor('disk-full');
const mayMount = await SmallDisk.isAllowed();
if (!mayMount) console.log('disk-full: left out, as this process may not mount a file system');

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function smallDisk(): Promise<SmallDisk> {
  const disk = await SmallDisk.mount(DISK_MIB);
  cleanups.push(() => disk.unmount());
  return disk;
}

async function gatewayOn(options: { databaseUrl?: string; dataDir?: string }) {
  const transcriber = await KnowingTranscriber.start();
  cleanups.push(() => transcriber.close());
  const { databaseUrl, dataDir } = options;
  const env = { ...transcriber.settings, ...(databaseUrl && { DATABASE_URL: databaseUrl }) };
  const gateway = await startGateway({ env, ...(dataDir && { dataDir }) });
  cleanups.push(() => gateway.stop());
  return gateway;
}

async function upload(url: string): Promise<{ status: number; code: string }> {
  const form = new FormData();
  form.set('options', JSON.stringify({ audio: { encoding: 'pcm_s16le' } }));
  form.set('file', new Blob([new Uint8Array(RECORDING)]), 'recording.raw');
  const response = await fetch(`${url}/v1/sessions`, { method: 'POST', body: form });
  const { code } = (await response.json()) as { code: string };
  return { status: response.status, code };
}

const speak = (url: string) =>
  Speaker.start(url, talkOf(UTTERANCES, chance), { factor: FACTOR, request: { partials: true } });

/** Waits until somebody was told so many more events of a type. */
async function isTold({ events }: Speaker, type: string, more: number): Promise<void> {
  const count = () => events.filter((event) => event.type === type).length;
  const before = count();
  await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(before + more), EVENTUALLY);
}

/** Leaves no room for an event in the pages that PostgreSQL has taken already, on a disk that has no more. */
async function fillPages(databaseUrl: string, sessionId: string): Promise<void> {
  await onDatabase(databaseUrl, async (sql) => {
    let seq = 1;
    for (const bytes of [1500, 300, 1])
      for (let isFull = false; !isFull; )
        await sql`
          insert into events (session_id, seq, tenant_id, type, body, at)
          select ${sessionId}, ${seq++}, 'filler', 'filler', to_json(repeat('x', ${bytes}::int)), now()
        `.catch((error: { code?: string }) => {
          if (error.code !== '53100') throw error;
          isFull = true;
        });
  });
}

/** What is wrong with what somebody was told, and with what is stored of it. */
async function faultsOf(url: string, speaker: Speaker, finished: ReturnType<Speaker['finish']>) {
  const faults = speaker.faults(await finished);
  await vi.waitFor(async () => expect(await gauge(url, 'spool_waiting')).toBe(0), EVENTUALLY);
  const text = await (await fetch(`${url}/v1/sessions/${speaker.stream.sessionId}/events`)).text();
  const log: unknown[] = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
  expect(log).toEqual(speaker.durable);
  return faults;
}

describe.skipIf(!mayMount)('a disk that is full', () => {
  it.skipIf(!hasPostgres)(
    'under the database: people are heard to the end',
    { timeout: 300_000 },
    async () => {
      const disk = await smallDisk();
      const database = await freshPostgres(disk.path);
      cleanups.push(database.drop);
      const { url } = await gatewayOn({ databaseUrl: database.url });
      const speaker = await speak(url);
      const finished = speaker.finish();
      await isTold(speaker, 'transcript.final', 1);
      const nobody = (await (await fetch(`${url}/v1/sessions`, { method: 'POST' })).json()) as { id: string };
      await disk.fill();
      expect(await upload(url)).toEqual({ status: 507, code: 'storage_full' });
      await fillPages(database.url, nobody.id);
      await isTold(speaker, 'transcript.final', 2);
      expect(await gauge(url, 'spool_waiting')).toBeGreaterThan(0);
      expect(speaker.stream.status).toBe('open');
      await disk.free();
      expect(await faultsOf(url, speaker, finished)).toEqual([]);
      expect((await upload(url)).status).toBe(202);
      keepResult('G40 database', `${speaker.durable.length} events told, all of them stored; uploads 507`);
    },
  );

  it('under everything: what is said is stored once there is room', { timeout: 300_000 }, async () => {
    const disk = await smallDisk();
    const dataDir = join(disk.path, 'data');
    await layBlankDatabase(dataDir);
    const { url } = await gatewayOn({ dataDir });
    const speaker = await speak(url);
    const finished = speaker.finish();
    await isTold(speaker, 'transcript.final', 1);
    await disk.fill();
    expect(await upload(url)).toEqual({ status: 507, code: 'storage_full' });
    await isTold(speaker, 'transcript.partial', 3);
    await disk.free();
    expect(await faultsOf(url, speaker, finished)).toEqual([]);
    expect((await upload(url)).status).toBe(202);
    keepResult('G40 everything', `${speaker.durable.length} events told, all of them stored; uploads 507`);
  });
});
