/**
 * Live sessions whose network breaks again and again (D.23): what is heard is what would have been heard without,
 * nothing missing and nothing twice. Spoken, and cut, several times faster than in reality.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { chanceFor, isLong, keepResult, times } from './effort.ts';
import { speakThroughCuts, type Told } from './support/broken-talk.ts';
import { CUTS } from './support/cutting-proxy.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';

const SESSIONS = times(3, 200);
const CUTS_EACH = times(4, 10);
const UTTERANCES = times(4, 8);
const AT_ONCE = times(3, 20);

const chance = chanceFor('cuts');

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

describe('a session over a network that breaks', () => {
  it('hears the clips for what they are when nothing breaks', async () => {
    expect(
      await speakThroughCuts([nodes[0]!.url], { utterances: UTTERANCES, cuts: 0, random: chance }),
    ).toMatchObject({ faults: [], finals: UTTERANCES });
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
        const targets = at % 3 === 0 ? [urls[at % urls.length]!] : urls;
        told.push(await speakThroughCuts(targets, { utterances: UTTERANCES, cuts: CUTS_EACH, random }));
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
