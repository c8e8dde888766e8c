/** Reading a session while it is written: nothing missing, nothing twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DurableDraft, SessionEvent } from '../../src/domain/event.ts';
import { isDurable } from '../../src/domain/event.ts';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import type { SessionRecord } from '../../src/domain/session.ts';
import { systemClock as clock } from '../../src/flow/clock.ts';
import { readFeed } from '../../src/session/feed.ts';
import { follow } from '../../src/session/follow.ts';
import { Hub } from '../../src/session/hub.ts';
import { Journal } from '../../src/session/journal.ts';
import type { EventLog } from '../../src/store/store.ts';
import { databases, type OpenedStore } from '../support/databases.ts';

const STARTED: DurableDraft = {
  type: 'session.started',
  audio: DEFAULT_OPTIONS.audio,
  language: 'auto',
  model: 'm',
};
const token = (index: number): DurableDraft => ({
  type: 'llm.token',
  responseId: 'rsp_1',
  utteranceId: null,
  index,
  delta: `${index} `,
});
const DONE: DurableDraft = {
  type: 'session.done',
  receipt: {
    receivedMs: 0,
    transcribedMs: 0,
    silenceMs: 0,
    suppressedMs: 0,
    finals: 0,
    lastSeq: 0,
    endedBy: 'client',
  },
};

const quiet = () => new AbortController().signal;

async function collect(events: AsyncIterable<SessionEvent>): Promise<SessionEvent[]> {
  const seen: SessionEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

describe.each(databases())('following a session, on $name', (database) => {
  let opened: OpenedStore;
  let count = 0;
  beforeAll(async () => {
    opened = await database.open();
  });
  afterAll(() => opened.cleanup());

  async function begin(): Promise<{ record: SessionRecord; hub: Hub; journal: Journal }> {
    const { store } = opened;
    const id = `ses_follow_${count++}`;
    const record = await store.sessions.create({
      id,
      tenantId: 'local',
      source: 'live',
      options: DEFAULT_OPTIONS,
      model: 'm',
      durationMs: null,
    });
    const hub = new Hub();
    const claim = await store.sessions.claim(id, 'this node', clock.now() + 60_000);
    const journal = await Journal.open(record, claim!.fence, { log: store.log, hub, clock });
    return { record, hub, journal };
  }

  it('gives every reader the whole log, whenever it begins to read', async () => {
    const { record, hub, journal } = await begin();
    const parts = { store: opened.store, hub, clock };
    const readers = [collect(follow(record.id, 0, parts, quiet()))];
    await journal.write(STARTED);
    for (let index = 0; index < 60; index++) {
      const writing = journal.write(token(index));
      if (index % 20 === 7) readers.push(collect(follow(record.id, index, parts, quiet())));
      journal.hint({ type: 'session.progress', processedMs: index, durationMs: null });
      await writing;
    }
    await journal.write(DONE);
    const stored = await opened.store.log.read(record.id, 0, 1000);
    expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 62 }, (_, at) => at + 1));
    for (const [at, events] of (await Promise.all(readers)).entries()) {
      const after = at === 0 ? 0 : (at - 1) * 20 + 7;
      expect(events.filter(isDurable)).toEqual(stored.slice(after));
    }
    expect(hub.readers).toBe(0);
  });

  it('leaves the database to others, however many catch up at once', async () => {
    const { record, hub, journal } = await begin();
    await journal.write(STARTED, ...Array.from({ length: 450 }, (_, index) => token(index)), DONE);
    const { log } = opened.store;
    let [reading, most, pages] = [0, 0, 0];
    const counted: EventLog['read'] = async (...asked) => {
      most = Math.max(most, ++reading);
      pages++;
      return await log.read(...asked).finally(() => reading--);
    };
    const store = { ...opened.store, log: { ...log, read: counted } };
    const gone = AbortSignal.abort();
    const readers = Array.from({ length: 12 }, () =>
      collect(follow(record.id, 0, { store, hub, clock }, quiet())),
    );
    expect(await collect(follow(record.id, 0, { store, hub, clock }, gone))).toEqual([]);
    for (const events of await Promise.all(readers)) expect(events).toHaveLength(452);
    expect(most).toBe(2);
    expect(pages).toBe(12 * 3);
  });

  it('finds in the log what another node wrote', async () => {
    const { record, hub, journal } = await begin();
    const reading = collect(follow(record.id, 0, { store: opened.store, hub, clock }, quiet()));
    await journal.write(STARTED);
    const { store } = opened;
    await store.sessions.release(record.id, 'this node');
    const { fence } = (await store.sessions.claim(record.id, 'another', clock.now() + 60_000))!;
    const elsewhere = await Journal.open(record, fence, { log: store.log, hub: new Hub(), clock });
    await elsewhere.write(token(0), token(1));
    // Its readers here hear of it by what the nodes tell each other, or when they next hear anything.
    hub.lookAgain(record.id, 3);
    await expect(journal.write(token(2))).rejects.toMatchObject({ code: 'claim_lost' });
    await elsewhere.write(DONE);
    hub.lookAgain(record.id, 4);
    expect((await reading).map((event) => isDurable(event) && event.seq)).toEqual([1, 2, 3, 4]);
  });

  it.each(['event', 'look again'])('waits for what was told and is not in the log yet: %s', async (how) => {
    const { record, hub, journal } = await begin();
    const parts = { store: opened.store, hub, clock };
    const reading = collect(follow(record.id, 0, parts, quiet()));
    await journal.write(STARTED);
    // Told by a node that has them on its disk, as the database was away.
    const { store } = opened;
    const end = { ...DONE, sessionId: record.id, seq: 3, at: new Date(clock.now()).toISOString() };
    if (how === 'event') hub.publish('local', end as SessionEvent);
    else hub.lookAgain(record.id, 3);
    hub.end(record.id);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await store.log.append(record.id, [token(0), DONE]);
    expect((await reading).map((event) => isDurable(event) && event.seq)).toEqual([1, 2, 3]);
  });

  it('goes on with what is live where what was told never comes', async () => {
    const { record, journal } = await begin();
    const hub = new Hub();
    const patient = { ...clock, after: (_ms: number, fire: () => void) => clock.after(1, fire) };
    const reader = follow(record.id, 0, { store: opened.store, hub, clock: patient }, quiet());
    await journal.write(STARTED);
    expect((await reader.next()).value).toMatchObject({ seq: 1 });
    const next = reader.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    hub.lookAgain(record.id, 99);
    hub.publish('local', {
      type: 'session.progress',
      sessionId: record.id,
      at: '',
      processedMs: 1,
      durationMs: 2,
    });
    expect((await next).value).toMatchObject({ type: 'session.progress' });
    await reader.return();
  });

  it('reads on from the log when it falls too far behind', async () => {
    const { record, hub, journal } = await begin();
    const reader = follow(record.id, 0, { store: opened.store, hub, clock }, quiet());
    await journal.write(STARTED);
    const seen = [(await reader.next()).value!];
    for (let batch = 0; batch < 6; batch++)
      await journal.write(...Array.from({ length: 100 }, (_, at) => token(batch * 100 + at)));
    await journal.write(DONE);
    for await (const event of reader) seen.push(event);
    expect(seen.map((event) => isDurable(event) && event.seq)).toEqual(
      Array.from({ length: 602 }, (_, at) => at + 1),
    );
  });

  it('stops when its reader leaves', async () => {
    const { record, hub, journal } = await begin();
    const leaving = new AbortController();
    const reading = collect(follow(record.id, 0, { store: opened.store, hub, clock }, leaving.signal));
    await journal.write(STARTED);
    setTimeout(() => leaving.abort(), 50);
    expect((await reading).length).toBe(1);
    expect(hub.readers).toBe(0);
  });

  it('refuses to write after the end', async () => {
    const { journal } = await begin();
    await journal.write(DONE);
    await expect(journal.write(token(0))).rejects.toMatchObject({ code: 'session_ended' });
  });

  it('feeds the events of all sessions in one order', async () => {
    const { store } = opened;
    const from = (await store.log.feed('local', null, 1)).cursor;
    const { journal, hub } = await begin();
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { event } of readFeed('local', from, { store, hub, clock }, stop.signal)) {
        seen.push(event.type);
        if (event.type === 'session.done') stop.abort();
      }
    })();
    await journal.write(STARTED);
    await journal.write(token(0), token(1));
    await journal.write(DONE);
    await reading;
    expect(seen).toEqual(['session.started', 'llm.token', 'llm.token', 'session.done']);
  });
});
