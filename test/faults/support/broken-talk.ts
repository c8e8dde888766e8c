/** Sessions whose network breaks again and again: spoken, and cut, several times faster than in reality. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/flow/chance.ts';
import { CUTS, type Cut, CuttingProxy } from './cutting-proxy.ts';
import { talkOf } from './known-speech.ts';
import { Speaker } from './speaker.ts';

/** Four minutes a minute: the client finds out by itself within 11 s that nobody is there. */
const FACTOR = 4;

/** The longest that nothing gets through, as the client's time goes: 8 s. */
const LONGEST_AWAY_MS = 2_000;

/** How many of the cuts the client has to find out about by itself. */
const UNTOLD = 0.1;

const [LOG_TRIES, LOG_AGAIN_MS] = [40, 500];

/** What came of a session over a network that broke. */
export interface Told {
  readonly faults: readonly string[];
  readonly cuts: readonly Cut[];
  readonly finals: number;
  /** Connections to each node. */
  readonly led: readonly number[];
}

const pick = <T>(from: readonly T[], random: Random): T => from[Math.floor(from.length * random())]!;

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

/** Whether the log becomes what was told: not at once where the database is away. */
async function isStored(url: string, { stream, durable }: Speaker): Promise<boolean> {
  for (let tries = 0; tries < LOG_TRIES; tries++) {
    const response = await fetch(`${url}/v1/sessions/${stream.sessionId}/events?after=0`).catch(() => null);
    const text = await response?.text().catch(() => null);
    const log = [...(text ?? '').matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
    if (response?.ok && JSON.stringify(log) === JSON.stringify(durable)) return true;
    await sleep(LOG_AGAIN_MS);
  }
  return false;
}

/**
 * Speaks a session through a network that breaks so many times, and once more if it still lasts after its last word.
 * @param targets The nodes it may lead to.
 */
export async function speakThroughCuts(
  targets: readonly string[],
  { utterances, cuts: count, random }: { utterances: number; cuts: number; random: Random },
): Promise<Told> {
  const proxy = await CuttingProxy.start(targets);
  const speaker = await Speaker.start(proxy.url, talkOf(utterances, random), { factor: FACTOR });
  const shareMs = speaker.lengthMs / count;
  const cuts: Cut[] = [];
  const cut = (withinMs: number) => cutOnce(proxy, withinMs, random).then((how) => cuts.push(how));
  for (let at = 1; at <= count; at++)
    await Promise.all([speaker.speakUntil(at * shareMs), cut(shareMs / FACTOR)]);
  const finishing = speaker.finish();
  if (count > 0) await Promise.race([finishing, cut(200)]);
  const receipt = await finishing;
  const faults = speaker.faults(receipt);
  if (!(await isStored(targets[0]!, speaker))) faults.push('the log is not what was told');
  await proxy.close();
  return { faults, cuts, finals: receipt.finals, led: proxy.led };
}
