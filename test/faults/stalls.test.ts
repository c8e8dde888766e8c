/**
 * Readers of server-sent events that stop to read (C.21): they are let go, hold no memory worth a word, are in nobody's
 * way, and read on without a gap when they are back.
 */
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SseMessage, SseParser } from '../../src/client/sse.ts';
import type { DurableEvent } from '../../src/domain/event.ts';
import { hasPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { chanceFor, keepResult, times } from './effort.ts';
import { readOnce } from './support/cut-reader.ts';
import { type Written, writeFirst, writeSession } from './support/long-log.ts';
import { gauge, peakDuring, residentBytes } from './support/metrics.ts';

const STALLED = times(20, 200);
const OTHERS = 5;
const MIB = 1024 * 1024;

/** More than the network itself holds for a reader that does not read: some 4 MB, by finals of a kilobyte or two. */
const FINALS = times(4000, 8000);
const PIECES = 300;

const chance = chanceFor('stalls');

/** A reader that has got its headers, and then nothing, as it does not read on. */
async function stall(url: string): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => resolve(response.pause()));
    request.on('error', reject);
  });
}

/** Reads what is left of a stream, up to where it breaks off. */
async function readOn(response: IncomingMessage): Promise<{ messages: SseMessage[]; isBroken: boolean }> {
  const parser = new SseParser();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const messages: SseMessage[] = [];
  try {
    for await (const bytes of response)
      messages.push(...parser.push(decoder.decode(bytes, { stream: true })));
    return { messages, isBroken: false };
  } catch {
    return { messages, isBroken: true };
  }
}

describe('readers that stall', () => {
  let written: Written;
  let gateway: RunningGateway;
  let log: readonly string[];
  let address: string;
  beforeAll(async () => {
    const texts = (events: readonly DurableEvent[]) => events.map((event) => JSON.stringify(event));
    written = await writeFirst(hasPostgres ? 'postgres' : 'embedded', async (store) => {
      log = texts(await writeSession(store, 'ses_long', FINALS, PIECES, chance));
    });
    gateway = await startGateway(written);
    address = `${gateway.url}/v1/sessions/ses_long/events`;
  }, 300_000);
  afterAll(async () => {
    await gateway.stop();
    await written.cleanup();
  });

  const readAll = async (after: string | null): Promise<string[]> => {
    const read = await readOnce(address, { after, by: 'header', maxBytes: Number.POSITIVE_INFINITY });
    expect(read.how).toBe('ended');
    return read.messages.map(({ data }) => data);
  };

  it('are let go, and the others get everything meanwhile', { timeout: 600_000 }, async () => {
    // What reading takes at all is there before, whoever reads.
    await readAll(null);
    const before = await residentBytes(gateway.url);
    const stalled = await Promise.all(Array.from({ length: STALLED }, () => stall(address)));
    const others = Promise.all(Array.from({ length: OTHERS }, () => readAll(null)));
    const letGo = async () => {
      await others;
      while ((await gauge(gateway.url, 'readers')) > 0) await sleep(100);
    };
    const peak = await peakDuring(letGo(), () => residentBytes(gateway.url));
    for (const read of await others) expect(read).toEqual(log);

    let missing = 0;
    for (const reader of stalled.splice(0)) {
      const { messages, isBroken } = await readOn(reader);
      expect(isBroken).toBe(true);
      missing += log.length - messages.length;
      if (stalled.length % 20 > 0) continue;
      const rest = await readAll(messages.at(-1)?.id ?? null);
      expect([...messages.map(({ data }) => data), ...rest]).toEqual(log);
    }
    const grownMib = Math.round((peak - before) / MIB);
    keepResult(
      'C21',
      `${STALLED} stalled readers: +${grownMib} MiB at most, all let go, ${OTHERS} others got everything`,
    );
    // Otherwise nobody stalled: the network held it all.
    expect(missing).toBeGreaterThan(0);
    expect(grownMib).toBeLessThanOrEqual(250);
  });
});
