/**
 * How soon things come while others are in the way (B.14, C.20, C.21). What is asserted is that they come; how soon is
 * told and kept, as it depends on what else the machine has to do.
 */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';
import { chanceFor, keepResult, times } from './effort.ts';
import { readOnce } from './support/cut-reader.ts';
import { spoken, submit, WEBHOOKS } from './support/jobs.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { talkOf } from './support/known-speech.ts';
import { writeFirst, writeSession } from './support/long-log.ts';
import { Speaker } from './support/speaker.ts';

const RECEIVERS = times(3, 20);
const HANGING = times(2, 10);
const STREAMS = times(10, 200);
const STALLED = times(5, 200);
const READERS = 5;
const UTTERANCES = times(2, 12);
/** More than a network holds for a reader that does not read: some 4 MB. */
const HISTORY = 6_000;
const EVENTUALLY = { timeout: 120_000, interval: 100 };

const chance = chanceFor('delays');

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** So large a share of the values is at most so much. */
const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;

const percentiles = (values: readonly number[]): string =>
  `p50 ${Math.round(quantile(values, 0.5))} ms, p95 ${Math.round(quantile(values, 0.95))} ms`;

/** The address of a receiver of webhooks. */
async function listen(serve: RequestListener): Promise<string> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

/** A stream whose headers are there; what follows is not read. */
const opened = (url: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => resolve(response.pause())).on('error', reject);
  });

describe('a receiver that hangs for ever', () => {
  it('is in no other’s way', { timeout: 300_000 }, async () => {
    const transcriber = await KnowingTranscriber.start();
    cleanups.push(() => transcriber.close());
    const database = hasPostgres ? await freshPostgres() : null;
    if (database) cleanups.push(database.drop);
    const env = { ...transcriber.settings, ...WEBHOOKS, ...(database && { DATABASE_URL: database.url }) };
    const gateway = await startGateway({ env });
    cleanups.push(() => gateway.stop());

    let hung = 0;
    const hanging = await listen(() => hung++);
    const delays: number[] = [];
    const others = Array.from({ length: RECEIVERS }, () =>
      listen(async (request, response) => {
        const now = Date.now();
        const { data } = JSON.parse(await text(request)) as { data: { finishedAt: string } };
        delays.push(now - Date.parse(data.finishedAt));
        response.writeHead(204).end();
      }),
    );
    const jobTo = (url: string, name: string) => submit(gateway.url, name, spoken(1), { webhook: { url } });
    await Promise.all(Array.from({ length: HANGING }, (_, n) => jobTo(hanging, `hanging-${n}`)));
    await vi.waitFor(() => expect(hung).toBeGreaterThan(0), EVENTUALLY);
    await Promise.all(others.map(async (url, n) => jobTo(await url, `other-${n}`)));
    await vi.waitFor(() => expect(delays).toHaveLength(RECEIVERS), EVENTUALLY);
    keepResult(
      'B14',
      `${HANGING} sessions for a receiver that hangs; ${RECEIVERS} others got theirs after ${percentiles(delays)}`,
    );
  });
});

describe('readers of events', () => {
  const kind = hasPostgres ? 'postgres' : 'embedded';

  it('are answered at once', { timeout: 300_000 }, async () => {
    const written = await writeFirst(kind, async (store) => {
      await writeSession(store, 'ses_read', 20, 10, chance);
    });
    cleanups.push(written.cleanup);
    const gateway = await startGateway(written);
    cleanups.push(() => gateway.stop());
    const delays: number[] = [];
    for (let n = 0; n < STREAMS; n++) {
      const askedMs = performance.now();
      const response = await opened(`${gateway.url}/v1/sessions/ses_read/events`);
      await once(response.resume(), 'data');
      delays.push(performance.now() - askedMs);
      response.destroy();
    }
    keepResult('C20', `${STREAMS} streams gave their first bytes after ${percentiles(delays)}`);
  });

  /** Follows somebody who speaks; how long each event took to each reader. */
  async function delaysAt(url: string): Promise<number[]> {
    const options = { factor: 2, request: { partials: true } };
    const speaker = await Speaker.start(url, talkOf(UTTERANCES, chance), options);
    const delays: number[] = [];
    const readers = Array.from({ length: READERS }, () =>
      readOnce(`${url}/v1/sessions/${speaker.stream.sessionId}/events`, {
        after: null,
        by: 'header',
        maxBytes: Number.POSITIVE_INFINITY,
        onMessage: ({ data }) => {
          delays.push(Date.now() - Date.parse((JSON.parse(data) as { at: string }).at));
          return false;
        },
      }),
    );
    await speaker.finish();
    for (const { how, messages } of await Promise.all(readers)) {
      expect(how).toBe('ended');
      const finals = messages.filter(({ event }) => event === 'transcript.final');
      expect(finals).toHaveLength(UTTERANCES);
    }
    return delays;
  }

  it('do not notice those who have stopped to read', { timeout: 300_000 }, async () => {
    const transcriber = await KnowingTranscriber.start();
    cleanups.push(() => transcriber.close());
    const written = await writeFirst(kind, async (store) => {
      await writeSession(store, 'ses_long', HISTORY, 300, chance);
    });
    cleanups.push(written.cleanup);
    const { dataDir, env } = written;
    const gateway = await startGateway({ dataDir, env: { ...env, ...transcriber.settings } });
    cleanups.push(() => gateway.stop());
    const { url } = gateway;
    await delaysAt(url);
    const alone = await delaysAt(url);
    const address = `${url}/v1/sessions/ses_long/events`;
    const stalled = await Promise.all(Array.from({ length: STALLED }, () => opened(address)));
    const among = await delaysAt(url);
    for (const reader of stalled) reader.destroy();
    keepResult(
      'C21 others',
      `events of others came after ${percentiles(alone)}, and among ${STALLED} stalled readers after ${percentiles(among)}`,
    );
  });
});
