/**
 * A gateway that is used, and to which all kinds of things happen, for an hour (G.42): it holds no more memory and no more
 * files in the end than after its first minutes, and never meets an error nobody expected.
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { EarshotError } from '../../src/client/error.ts';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { type ProxyMode, TcpProxy } from '../support/tcp-proxy.ts';
import { chanceFor, isLong, keepResult, times } from './effort.ts';
import { violations } from './support/audit.ts';
import { HANDSHAKES, shakeHands } from './support/broken-handshakes.ts';
import { speakThroughCuts } from './support/broken-talk.ts';
import { onDatabase, spoken, submit, WEBHOOKS } from './support/jobs.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { residentBytes } from './support/metrics.ts';
import { MoodyReceiver } from './support/moody-receiver.ts';

/** Set SOAK_MINUTES for more of it. */
const LENGTH_MS = Number(process.env.SOAK_MINUTES ?? times(0.25, 60)) * 60_000;
const SPEAKERS = times(3, 8);
const SAMPLE_EVERY_MS = times(1_000, 15_000);
const OUTAGE_EVERY_MS = Math.min(times(8_000, 300_000), LENGTH_MS / 4);
const OUTAGE_MS = times(500, 5_000);
/** How long after the last session what it held may be given back. */
const CALM_MS = times(3_000, 30_000);

const chance = chanceFor('soak');

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const descriptors = async ({ pid }: RunningGateway): Promise<number> =>
  (await readdir(`/proc/${pid}/fd`)).length;

/** A session that cannot be opened while the database is away is nobody's fault. */
const ifRefused = (error: unknown): null => {
  if (error instanceof EarshotError && error.code === 'storage_unavailable') return null;
  throw error;
};

/** By least squares: how much more in an hour, as a share of the mean. */
function slopePerHour(samples: readonly { atMs: number; value: number }[]): number {
  const mean = (of: (sample: { atMs: number; value: number }) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [atMs, value] = [mean((sample) => sample.atMs), mean((sample) => sample.value)];
  const together = mean((sample) => (sample.atMs - atMs) * (sample.value - value));
  const spread = mean((sample) => (sample.atMs - atMs) ** 2);
  return ((together / spread) * 3_600_000) / value;
}

describe.skipIf(!hasPostgres)('a gateway to which all kinds of things happen', () => {
  it('is in the end as it was', { timeout: LENGTH_MS + 300_000 }, async () => {
    const transcriber = await KnowingTranscriber.start();
    cleanups.push(() => transcriber.close());
    const receiver = await MoodyReceiver.start(chance);
    cleanups.push(() => receiver.close());
    const { url: direct, drop } = await freshPostgres();
    cleanups.push(drop);
    const { hostname: host, port } = new URL(direct);
    const network = new TcpProxy({ host, port: Number(port || 5432) });
    await network.set('forward');
    cleanups.push(() => network.close());
    const database = new URL(direct);
    database.host = `127.0.0.1:${network.port}`;
    const env = { ...transcriber.settings, ...WEBHOOKS, DATABASE_URL: database.href };
    const gateway = await startGateway({ env });
    cleanups.push(() => gateway.stop());
    const { url } = gateway;

    const untilMs = Date.now() + LENGTH_MS;
    /** Does something again and again until the time is over. */
    const keep = async (work: () => Promise<void>): Promise<void> => {
      while (Date.now() < untilMs) await work();
    };
    const [faults, counts] = [[] as string[], { sessions: 0, cuts: 0, jobs: 0, handshakes: 0, outages: 0 }];
    const talk = async () => {
      const told = await speakThroughCuts([url], { utterances: 4, cuts: 2, random: chance }).catch(ifRefused);
      if (!told) return void (await sleep(500));
      counts.sessions++;
      counts.cuts += told.cuts.length;
      faults.push(...told.faults);
    };
    const record = async () => {
      await submit(url, `job-${counts.jobs++}`, spoken(2), { webhook: { url: receiver.url } });
      await sleep(1_000 + 2_000 * chance());
    };
    const knock = async () => {
      const kind = HANDSHAKES[Math.floor(HANDSHAKES.length * chance())]!;
      const { socket } = await shakeHands(url, kind, chance);
      socket.destroy();
      counts.handshakes++;
      await sleep(500 * chance());
    };
    const MODES: readonly ProxyMode[] = ['refuse', 'hang_up', 'silent'];
    const break_ = async () => {
      await sleep(Math.min(OUTAGE_EVERY_MS * (0.5 + chance()), untilMs - Date.now()));
      await network.set(MODES[counts.outages++ % MODES.length]!);
      await sleep(OUTAGE_MS);
      await network.set('forward');
    };
    const samples: { atMs: number; value: number }[] = [];
    const sample = async () => {
      samples.push({ atMs: Date.now(), value: await residentBytes(url) });
      await sleep(SAMPLE_EVERY_MS);
    };

    await Promise.all([talk(), record(), knock()]);
    await sleep(CALM_MS);
    const before = await descriptors(gateway);
    await Promise.all([
      ...Array.from({ length: SPEAKERS }, () => keep(talk)),
      ...[record, knock, break_, sample].map(keep),
    ]);
    await sleep(CALM_MS);
    const after = await descriptors(gateway);

    // What memory does in the first third is growing up.
    const settled = samples.slice(Math.floor(samples.length / 3));
    const mib = (at: number) => Math.round(settled.at(at)!.value / 1024 / 1024);
    const what = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    const slope = `${(100 * slopePerHour(settled)).toFixed(1)} % an hour (${mib(0)} to ${mib(-1)} MiB)`;
    keepResult(
      'G42',
      `${LENGTH_MS / 60_000} min, ${what.join(', ')}: memory ${slope}, descriptors ${before} → ${after}, ${faults.length} faults`,
    );
    expect(faults).toEqual([]);
    expect(after).toBeLessThanOrEqual(before + 8);
    expect(gateway.output.filter((line) => /unhandled|uncaught|"level":60/i.test(line))).toEqual([]);
    await onDatabase(direct, async (sql) => expect(await violations(sql)).toEqual([]));
    if (isLong) expect(counts.outages).toBeGreaterThan(0);
  });
});
