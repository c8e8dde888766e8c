/**
 * The database goes away while people speak (G.39): they are heard all the same, what is to be stored waits on disk, and
 * is in the log afterwards, in order and once; also where the gateway is killed meanwhile.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { type ProxyMode, TcpProxy } from '../support/tcp-proxy.ts';
import { chanceFor, isLong, keepResult, times } from './effort.ts';
import { violations } from './support/audit.ts';
import { CuttingProxy } from './support/cutting-proxy.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { talkOf } from './support/known-speech.ts';
import { gauge } from './support/metrics.ts';
import { Speaker } from './support/speaker.ts';

/** How much faster than in reality everybody speaks; in the long form an outage lasts as long as it says. */
const FACTOR = times(4, 1);
const OUTAGE_MS = times(2_000, 300_000);

/** Said before the outage is over, even where it lasts no longer than it takes to find out that it began. */
const SHORT_TALK = times(2, 20);
const LONG_TALK = times(18, 70);

/** Everything takes its time where nothing answers: 10 s until a query is given up. */
const EVENTUALLY = { timeout: 60_000, interval: 100 };

const chance = chanceFor('outage');

/** Some who speak to one gateway on a database of its own, over networks that can be broken. */
class Scene {
  readonly network: TcpProxy;
  readonly street: CuttingProxy;
  readonly url: string;
  gateway: RunningGateway;
  /** In the long form another node on the database, which must not take the sessions for abandoned. */
  readonly #neighbour: RunningGateway | null;
  readonly #transcriber: KnowingTranscriber;
  readonly #drop: () => Promise<void>;
  readonly #direct: string;

  private constructor(
    network: TcpProxy,
    street: CuttingProxy,
    [gateway, neighbour]: readonly [RunningGateway, RunningGateway | null],
    transcriber: KnowingTranscriber,
    direct: string,
    drop: () => Promise<void>,
  ) {
    this.network = network;
    this.street = street;
    this.gateway = gateway;
    this.#neighbour = neighbour;
    this.url = street.url;
    this.#transcriber = transcriber;
    this.#direct = direct;
    this.#drop = drop;
  }

  static async set(): Promise<Scene> {
    const transcriber = await KnowingTranscriber.start();
    const { url: direct, drop } = await freshPostgres();
    const { hostname: host, port } = new URL(direct);
    const network = new TcpProxy({ host, port: Number(port || 5432) });
    await network.set('forward');
    const env = Scene.#env(transcriber, network, direct);
    const gateway = await startGateway({ env });
    const neighbour = isLong ? await startGateway({ env }) : null;
    const street = await CuttingProxy.start([gateway.url]);
    return new Scene(network, street, [gateway, neighbour], transcriber, direct, drop);
  }

  static #env(transcriber: KnowingTranscriber, { port }: TcpProxy, direct: string): Record<string, string> {
    const url = new URL(direct);
    url.host = `127.0.0.1:${port}`;
    return { ...transcriber.settings, DATABASE_URL: url.href };
  }

  /** Ends the gateway, and starts another on its data. @returns The exit code of the first. */
  async restart(how: 'kill' | 'terminate', whileDead: () => Promise<void>): Promise<number | null> {
    const { dataDir } = this.gateway;
    const code = (await this.gateway[how]()) ?? null;
    await whileDead();
    const env = Scene.#env(this.#transcriber, this.network, this.#direct);
    this.gateway = await startGateway({ env, dataDir });
    this.street.retarget([this.gateway.url]);
    return code;
  }

  speak(utterances: number): Promise<Speaker> {
    return Speaker.start(this.url, talkOf(utterances, chance), {
      factor: FACTOR,
      request: { partials: true },
    });
  }

  /** Bytes of the files in which events wait. */
  async spooledBytes(): Promise<number> {
    const folder = join(this.gateway.dataDir, 'spool');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** The log as the gateway gives it, once nothing waits any more. */
  async log({ stream }: Speaker): Promise<unknown[]> {
    await vi.waitFor(async () => expect(await gauge(this.gateway.url, 'spool_waiting')).toBe(0), EVENTUALLY);
    const text = await (await fetch(`${this.gateway.url}/v1/sessions/${stream.sessionId}/events`)).text();
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
  }

  /** Rules between the tables that are broken, asked past the gateway. */
  async violations(): Promise<string[]> {
    const sql = postgres(this.#direct, { max: 1 });
    try {
      return await violations(sql);
    } finally {
      await sql.end();
    }
  }

  async clear(): Promise<void> {
    await this.street.close();
    await this.network.set('forward');
    await Promise.all([this.gateway.stop(), this.#neighbour?.stop()]);
    await this.network.close();
    await this.#drop();
    await this.#transcriber.close();
  }
}

/** Waits until somebody was told one more hypothesis and one more final. */
const isHeard = async (speaker: Speaker): Promise<void> => {
  const count = (type: string) => speaker.events.filter((event) => event.type === type).length;
  const before = { partials: count('transcript.partial'), finals: count('transcript.final') };
  await vi.waitFor(() => {
    expect(count('transcript.partial')).toBeGreaterThan(before.partials);
    expect(count('transcript.final')).toBeGreaterThan(before.finals);
  }, EVENTUALLY);
};

const MODES: readonly ProxyMode[] = ['refuse', 'hang_up', 'silent'];

describe.skipIf(!hasPostgres).concurrent.each(MODES)('while the database is away (%s)', (mode) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.set();
  });
  afterAll(() => scene.clear());

  it('people are heard, and afterwards all is stored', { timeout: 900_000 }, async ({ expect }) => {
    const { network, url } = scene;
    // One who speaks before, meanwhile and after; one who ends meanwhile; one who has said nothing yet.
    const through = await scene.speak(LONG_TALK);
    const receipts = [through.finish()];
    await isHeard(through);
    const [ending, silent] = await Promise.all([scene.speak(SHORT_TALK), scene.speak(SHORT_TALK)]);
    await ending.speakThrough(0);
    await network.set(mode);
    const lasts = sleep(OUTAGE_MS);
    receipts.push(ending.finish(), silent.finish());
    const [refused] = await Promise.all([
      fetch(`${url}/v1/sessions`, { method: 'POST' }),
      isHeard(through),
      isHeard(ending),
      isHeard(silent),
    ]);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: 'storage_unavailable' });
    expect((await fetch(`${url}/live`)).status).toBe(200);
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    // They get their receipts although nothing of it is in the database.
    await Promise.all(receipts.slice(1));
    await lasts;
    const waited = { entries: await gauge(url, 'spool_waiting'), bytes: await scene.spooledBytes() };
    expect(waited.entries).toBeGreaterThan(0);
    expect(waited.bytes).toBeGreaterThan(0);
    expect(through.stream.status).not.toBe('done');
    await network.set('forward');

    const faults: string[] = [];
    for (const [at, speaker] of [through, ending, silent].entries()) {
      faults.push(...speaker.faults(await receipts[at]!));
      expect(await scene.log(speaker)).toEqual(speaker.durable);
      expect(speaker.stream.status).toBe('done');
    }
    expect(faults).toEqual([]);
    expect(await scene.violations()).toEqual([]);
    expect(await scene.spooledBytes()).toBe(0);
    expect((await fetch(`${url}/v1/sessions`, { method: 'POST' })).status).toBe(201);
    keepResult(`G39 ${mode}`, `away for ${OUTAGE_MS / 1000} s: ${waited.entries} entries waited, 0 faults`);
  });
});

/** How it ends, how the database is away, and the exit code. */
const ENDS = [
  ['kill', 'refuse', null],
  ['terminate', 'silent', 0],
] as const;

describe.skipIf(!hasPostgres).concurrent.each(ENDS)(
  'a gateway that ends meanwhile (%s, %s)',
  (how, mode, expected) => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.set();
    });
    afterAll(() => scene.clear());

    it('stores what waited when it is started again, and goes on', { timeout: 900_000 }, async ({
      expect,
    }) => {
      const [through, ending] = await Promise.all([scene.speak(LONG_TALK), scene.speak(SHORT_TALK)]);
      await through.speakThrough(1);
      await scene.network.set(mode);
      // The one has its receipt, the other waits for a final, and nothing of either is in the database.
      const [ended] = await Promise.all([ending.finish(), through.speakThrough(LONG_TALK - 3)]);
      const receipts = [ended];
      const told = through.durable.length;
      const code = await scene.restart(how, async () => {
        if (isLong) await sleep(20_000);
        expect(await scene.spooledBytes()).toBeGreaterThan(0);
        await scene.network.set('forward');
      });
      expect(code).toBe(expected);
      receipts.push(await through.finish());
      for (const [at, speaker] of [ending, through].entries()) {
        expect(speaker.faults(receipts[at]!)).toEqual([]);
        expect(await scene.log(speaker)).toEqual(speaker.durable);
      }
      expect(through.durable.length).toBeGreaterThan(told);
      expect(await scene.violations()).toEqual([]);
      keepResult(
        `G39 ${how}`,
        `${told} events told until then, ${through.durable.length} in the end, 0 faults`,
      );
    });
  },
);
