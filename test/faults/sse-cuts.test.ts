/**
 * Streams of server-sent events that are cut anywhere and resumed (C.18, C.19): what was read, put together, is the
 * log, with nothing missing and nothing twice, also where the gateway was killed meanwhile.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SseMessage } from '../../src/client/sse.ts';
import type { DurableEvent } from '../../src/domain/event.ts';
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { hasPostgres } from '../support/databases.ts';
import { shownFeed } from '../support/feed.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { chanceFor, isLong, keepResult, times } from './effort.ts';
import { CURSORS, readOnce } from './support/cut-reader.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { talkOf } from './support/known-speech.ts';
import {
  beginSession,
  endSession,
  finalOf,
  type Written,
  writeFirst,
  writeSession,
} from './support/long-log.ts';
import { Speaker } from './support/speaker.ts';

const CUTS = times(20, 500);
const RESTARTS = times(1, 10);
const FINALS = times(300, 3000);
const PIECES = 60;

const chance = chanceFor('sse-cuts');
const upTo = (max: number) => Math.floor(max * chance());
const dataOf = (messages: readonly SseMessage[]) =>
  messages.map(({ data }) => JSON.parse(data) as DurableEvent);

/** A gateway that can be killed, and is then found where its successor listens. */
class Mortal {
  gateway: RunningGateway;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(gateway: RunningGateway, env: Readonly<Record<string, string>>) {
    this.gateway = gateway;
    this.#env = env;
  }

  static async start({ env, dataDir }: Pick<Written, 'env' | 'dataDir'>): Promise<Mortal> {
    return new Mortal(await startGateway({ env, dataDir }), env);
  }

  async restart(): Promise<void> {
    const { dataDir } = this.gateway;
    await this.gateway.kill();
    this.gateway = await startGateway({ env: this.#env, dataDir });
  }
}

/** Reads a stream that gives these events in so many pieces and one more, over some restarts of the gateway. */
async function readInPieces(
  node: Mortal,
  path: string,
  first: string | null,
  events: readonly DurableEvent[],
): Promise<SseMessage[]> {
  const bytes = events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
  const restarts = Array.from({ length: RESTARTS }, (_, at) => Math.floor(((at + 0.5) * CUTS) / RESTARTS));
  const messages: SseMessage[] = [];
  let after = first;
  for (let piece = 0; piece <= CUTS; piece++) {
    let left = events.length - messages.length;
    const reading = readOnce(node.gateway.url + path, {
      after,
      by: CURSORS[upTo(2)]!,
      // Half of it in the pieces, the rest in one: wherever the cuts fall, there is something left to cut.
      maxBytes: piece === CUTS ? Number.POSITIVE_INFINITY : 1 + upTo(bytes / CUTS),
      onMessage: () => --left === 0,
    });
    // Killed while the stream is being read, or just after.
    if (restarts.includes(piece)) await node.restart();
    const { messages: come } = await reading;
    messages.push(...come);
    after = come.at(-1)?.id ?? after;
  }
  return messages;
}

const kinds =
  isLong && hasPostgres
    ? (['postgres', 'embedded'] as const)
    : ([hasPostgres ? 'postgres' : 'embedded'] as const);

describe.each(kinds)('a stream that is cut, on %s', (kind) => {
  let written: Written;
  let node: Mortal;
  let log: DurableEvent[];
  let feed: DurableEvent[];
  beforeAll(async () => {
    written = await writeFirst(kind, async (store) => {
      log = await writeSession(store, 'ses_long', FINALS, PIECES, chance);
      const other = await writeSession(store, 'ses_other', FINALS / 10, PIECES, chance);
      const shown = await shownFeed(store, 'local', log.length + other.length);
      feed = shown.events.map(({ event }) => event);
    });
    node = await Mortal.start(written);
  }, 300_000);
  afterAll(async () => {
    await node.gateway.stop();
    await written.cleanup();
  });

  it('gives the whole log of a session, once and in order', { timeout: 900_000 }, async () => {
    const messages = await readInPieces(node, '/v1/sessions/ses_long/events', null, log);
    keepResult(
      `C18 ${kind}`,
      `${CUTS} cuts, ${RESTARTS} restarts: ${messages.length} events of ${log.length}`,
    );
    expect(messages.map(({ id }) => id)).toEqual(log.map(({ seq }) => String(seq)));
    expect(dataOf(messages)).toEqual(log);
  });

  it('gives the whole feed, once and in order', { timeout: 900_000 }, async () => {
    const messages = await readInPieces(node, '/v1/feed', '0', feed);
    keepResult(
      `C18 feed ${kind}`,
      `${CUTS} cuts, ${RESTARTS} restarts: ${messages.length} events of ${feed.length}`,
    );
    expect(dataOf(messages)).toEqual(feed);
  });
});

describe.skipIf(!hasPostgres)('a feed that grows while it is read', () => {
  let written: Written;
  let gateway: RunningGateway;
  let store: Store;
  const past: Clock = { ...systemClock, now: () => systemClock.now() - 2 * 3_600_000 };
  let before: string;
  beforeAll(async () => {
    written = await writeFirst(
      'postgres',
      async (old) => {
        await writeSession(old, 'ses_old', 20, 5, chance);
        before = (await shownFeed(old, 'local', 5)).cursor;
        await writeSession(old, 'ses_older', 20, 5, chance);
      },
      past,
    );
    const { env, dataDir } = written;
    gateway = await startGateway({ env: { ...env, RETENTION_HOURS: '1' }, dataDir });
    store = await openStore({ databaseUrl: env.DATABASE_URL!, dataDir, clock: systemClock });
  });
  afterAll(async () => {
    await store.close();
    await gateway.stop();
    await written.cleanup();
  });

  it('says "reset" to a cursor that retention has overtaken, and begins anew from 0', async () => {
    // The old sessions were erased when the gateway started; until then the cursor is good.
    const said = async (): Promise<SseMessage> => {
      const { messages } = await readOnce(`${gateway.url}/v1/feed`, {
        after: before,
        by: 'header',
        maxBytes: Number.POSITIVE_INFINITY,
        onMessage: () => true,
      });
      return messages[0]!.event === 'reset' ? messages[0]! : await said();
    };
    expect(JSON.parse((await said()).data)).toMatchObject({ type: 'reset', reason: expect.any(String) });
    expect((await store.log.feed('local', '0', 10)).events).toEqual([]);
  });

  it('gives what several sessions write at once, in the order of the feed', {
    timeout: 600_000,
  }, async () => {
    const names = ['ses_a', 'ses_b', 'ses_c'];
    const each = times(40, 400);
    const writing = Promise.all(
      names.map(async (id) => {
        await beginSession(store, id);
        for (let n = 0; n < each; n++) await store.log.append(id, [finalOf(n, 10, chance)]);
        await endSession(store, id);
      }),
    );
    const count = names.length * (each + 2);
    const messages: SseMessage[] = [];
    let cuts = 0;
    for (let after = '0'; messages.length < count; cuts++) {
      let come = 0;
      const read = await readOnce(`${gateway.url}/v1/feed`, {
        after,
        by: CURSORS[upTo(2)]!,
        maxBytes: 1 + upTo(3_000),
        onMessage: () => messages.length + ++come >= count,
      });
      messages.push(...read.messages);
      after = read.messages.at(-1)?.id || after;
    }
    await writing;
    const { events } = await store.log.feed('local', '0', 2 * count);
    keepResult('C18 growing feed', `${cuts} cuts: ${messages.length} events of ${events.length}`);
    expect(dataOf(messages)).toEqual(events.map(({ event }) => event));
  });
});

describe('a session that is followed while it is spoken', () => {
  it('gives the whole log, however often its reader is cut', { timeout: 600_000 }, async () => {
    const transcriber = await KnowingTranscriber.start();
    const gateway = await startGateway({ env: transcriber.settings });
    const speaker = await Speaker.start(gateway.url, talkOf(times(6, 60), chance), {
      factor: 8,
      request: { partials: true },
    });
    const finishing = speaker.finish();
    const messages: SseMessage[] = [];
    let cuts = 0;
    for (let after = '0'; messages.at(-1)?.event !== 'session.done'; cuts++) {
      const read = await readOnce(`${gateway.url}/v1/sessions/${speaker.stream.sessionId}/events`, {
        after,
        by: CURSORS[upTo(2)]!,
        maxBytes: 1 + upTo(2_000),
      });
      // Hints carry the id of the last event that is kept, and are gone with their connection.
      messages.push(...read.messages.filter(({ data }) => 'seq' in JSON.parse(data)));
      after = read.messages.at(-1)?.id || after;
    }
    expect(speaker.faults(await finishing)).toEqual([]);
    keepResult('C18 live', `${cuts} cuts while it was spoken: ${messages.length} events`);
    expect(dataOf(messages)).toEqual(speaker.durable);
    await gateway.stop();
    await transcriber.close();
  });
});
