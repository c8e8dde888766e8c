/**
 * Live sessions whose network breaks again and again (D.23): what is heard is what would have been heard without,
 * nothing missing and nothing twice. Spoken, and cut, several times faster than in reality.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Random } from '../../src/flow/chance.ts';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { chanceFor, isLong, keepResult, times } from './effort.ts';
import { CUTS, type Cut, CuttingProxy } from './support/cutting-proxy.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { talkOf } from './support/known-speech.ts';
import { Speaker } from './support/speaker.ts';

const SESSIONS = times(3, 200);
const CUTS_EACH = times(4, 10);
const UTTERANCES = times(4, 8);
const AT_ONCE = times(3, 20);

/** Four minutes a minute: the client finds out by itself within 11 s that nobody is there. */
const FACTOR = 4;

/** The longest that nothing gets through, as the client's time goes: 8 s. */
const LONGEST_AWAY_MS = 2_000;

/** How many of the cuts the client has to find out about by itself. */
const UNTOLD = 0.1;

const chance = chanceFor('cuts');
const pick = <T>(from: readonly T[], random: Random): T => from[Math.floor(from.length * random())]!;

interface Told {
  readonly faults: readonly string[];
  readonly cuts: readonly Cut[];
  readonly finals: number;
  /** Connections to each node. */
  readonly led: readonly number[];
}

let transcriber: KnowingTranscriber;
let database: { url: string; drop(): Promise<void> } | null = null;
let nodes: RunningGateway[] = [];

beforeAll(async () => {
  transcriber = await KnowingTranscriber.start();
  database = hasPostgres ? await freshPostgres() : null;
  const env = { ...transcriber.settings, ...(database && { DATABASE_URL: database.url }) };
  nodes = await Promise.all(Array.from({ length: database ? 2 : 1 }, () => startGateway({ env })));
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await database?.drop();
  await transcriber.close();
});

/** Breaks the network once, at some moment of a connection, and lets it come back. */
async function cutOnce(proxy: CuttingProxy, withinMs: number, random: Random): Promise<Cut> {
  const [waitMs, awayMs] = [withinMs * random(), LONGEST_AWAY_MS * random()];
  const how = pick(CUTS, random);
  const meanwhile = pick(['forward', 'refuse', 'swallow'] as const, random);
  const dead = random() < UNTOLD ? 'leave' : 'reset';
  await sleep(waitMs);
  await proxy.streaming();
  proxy.cut(how, meanwhile);
  await sleep(awayMs);
  proxy.restore(dead);
  return how;
}

/** Speaks a session through a network that breaks so many times, and once more if it still lasts after its last word. */
async function speak(targets: readonly string[], count: number, random: Random): Promise<Told> {
  const proxy = await CuttingProxy.start(targets);
  const speaker = await Speaker.start(proxy.url, talkOf(UTTERANCES, random), { factor: FACTOR });
  const shareMs = speaker.lengthMs / count;
  const cuts: Cut[] = [];
  const cut = (withinMs: number) => cutOnce(proxy, withinMs, random).then((how) => cuts.push(how));
  for (let at = 1; at <= count; at++)
    await Promise.all([speaker.speakUntil(at * shareMs), cut(shareMs / FACTOR)]);
  const finishing = speaker.finish();
  if (count > 0) await Promise.race([finishing, cut(200)]);
  const receipt = await finishing;
  const faults = speaker.faults(receipt);
  const stored = await fetch(`${nodes[0]!.url}/v1/sessions/${speaker.stream.sessionId}/events`);
  const log = [...(await stored.text()).matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
  if (JSON.stringify(log) !== JSON.stringify(speaker.durable)) faults.push('the log is not what was told');
  await proxy.close();
  return { faults, cuts, finals: receipt.finals, led: proxy.led };
}

describe('a session over a network that breaks', () => {
  it('hears the clips for what they are when nothing breaks', async () => {
    expect(await speak([nodes[0]!.url], 0, chance)).toMatchObject({ faults: [], finals: UTTERANCES });
  });

  it(`gives the same finals after ${CUTS_EACH} cuts, at one node or several`, {
    timeout: 1_200_000,
  }, async () => {
    const told: Told[] = [];
    const seeds = Array.from({ length: SESSIONS }, (_, at) => ({
      at,
      draws: Array.from({ length: 200 }, chance),
    }));
    const work = async () => {
      for (let next = seeds.shift(); next; next = seeds.shift()) {
        const { at, draws } = next;
        // Every session has chance of its own, so that it does not hang on how the others get on.
        const random = () => draws[(draws.length > 1 ? draws.push(draws.shift()!) : 1) - 1]!;
        const urls = nodes.map(({ url }) => url);
        told.push(await speak(at % 3 === 0 ? [urls[at % urls.length]!] : urls, CUTS_EACH, random));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const cuts = told.flatMap((session) => session.cuts);
    const kinds = CUTS.map((kind) => `${cuts.filter((cut) => cut === kind).length} ${kind}`).join(', ');
    const moved = told.filter(({ led }) => led.filter((count) => count > 0).length > 1).length;
    const finals = told.reduce((sum, session) => sum + session.finals, 0);
    keepResult(
      'D23',
      `${told.length} sessions, ${moved} of them over two nodes, ${cuts.length} cuts (${kinds}): ${finals} finals, ${
        told.flatMap(({ faults }) => faults).length
      } faults`,
    );
    expect(told.flatMap(({ faults }) => faults)).toEqual([]);
    expect(cuts.length).toBeGreaterThanOrEqual(SESSIONS * CUTS_EACH);
    if (isLong) for (const kind of CUTS) expect(cuts).toContain(kind);
  });
});
