import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DurableDraft, DurableEvent, SessionEvent } from '../../src/domain/event.ts';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { follow } from '../../src/session/follow.ts';
import { Hub } from '../../src/session/hub.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { SpooledLog } from '../../src/store/spooled-log.ts';
import { storageUnavailable } from '../../src/store/storage-failure.ts';
import type { Store } from '../../src/store/store.ts';
import { freshFolder, freshPostgres, hasPostgres } from '../support/databases.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { ROOMY, SpoolingNode } from '../support/spooling-node.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { create, done, failed, final, plain, sent, started, token } from './suites/fixture.ts';

let folder: Awaited<ReturnType<typeof freshFolder>>;
let nodes: SpoolingNode[];
beforeEach(async () => {
  folder = await freshFolder();
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes) await node.close();
  await folder.remove();
});

async function start(
  maxBytes = ROOMY,
): Promise<{ database: MemoryLog; node: SpoolingNode; log: SpooledLog }> {
  const database = new MemoryLog();
  for (const sessionId of ['a', 'b', 'c']) database.create(sessionId);
  const node = await SpoolingNode.start(database, spoolPath(), maxBytes);
  nodes.push(node);
  return { database, node, log: node.log };
}

/** The process that comes after one that was killed. */
async function restarted(restart: () => Promise<SpoolingNode>): Promise<SpoolingNode> {
  const node = await restart();
  nodes.push(node);
  return node;
}

const spoolPath = () => join(folder.path, 'spool');

const after = (afterSeq: number, fence = 1) => ({ afterSeq, fence });
const seqsIn = (database: MemoryLog, sessionId: string) => database.eventsOf(sessionId).map(({ seq }) => seq);
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 2 });

describe('while the database answers', () => {
  it('writes to it, and to nothing else', async () => {
    const { database, node, log } = await start();
    const events = await log.append('a', [started, final(0)], after(0));
    expect(events).toEqual(database.eventsOf('a'));
    expect(await log.append('a', [], after(2))).toEqual([]);
    expect(await log.read('a', 1, 5)).toEqual(events.slice(1));
    expect(database.calls).toEqual(['append a 2', 'read a']);
    expect(log.waiting).toBe(0);
    expect(node.errors).toEqual([]);
  });

  const codes: FailureCode[] = ['claim_lost', 'not_found', 'session_ended', 'conflict', 'internal'];
  it.each([...codes.map((code) => new Failure(code, 'no')), new TypeError('a bug')])(
    'hands on other failures than that it is away: %o',
    async (failure) => {
      const { database, log } = await start();
      database.refusals.set('a', failure);
      await expect(log.append('a', [final(0)], after(0))).rejects.toBe(failure);
      expect(log.waiting).toBe(0);
      await log.append('b', [final(0)], after(0));
      expect(database.calls).toEqual(['append a 1', 'append b 1']);
    },
  );
});

describe.each(['down', 'full'] as const)('while the database is %s', (weather) => {
  it('tells the writer what the database would have told, and tells the database later', async () => {
    const { database, node, log } = await start();
    await log.append('a', [started], after(0));
    database.weather = weather;
    const spoken = final(0, 'lone \ud800, ü and \u2028');
    const spooled = [
      ...(await log.append('a', [{ ...spoken, words: undefined } as unknown as DurableDraft], after(1))),
      ...(await log.append('a', [token('rsp_1', 0, 'x'), done()], after(2))),
    ];
    const at = new Date(node.clock.now()).toISOString();
    expect(spooled.map(plain)).toEqual([spoken, token('rsp_1', 0, 'x'), done()]);
    expect(spooled.map(({ sessionId, seq, at }) => [sessionId, seq, at])).toEqual([
      ['a', 2, at],
      ['a', 3, at],
      ['a', 4, at],
    ]);
    expect(spooled[2]).toMatchObject({ receipt: { lastSeq: 4 } });
    expect(Object.keys(spooled[0]!)).not.toContain('words');
    expect(log.waiting).toBe(2);
    expect(['a', 'b'].map((sessionId) => log.isWaiting(sessionId))).toEqual([true, false]);
    database.weather = 'up';
    await node.drained();
    expect(log.isWaiting('a')).toBe(false);
    expect(JSON.stringify(database.eventsOf('a').slice(1))).toBe(JSON.stringify(spooled));
    expect(log.waiting).toBe(0);
    expect(node.errors).toEqual([]);
  });

  it('asks it no more for every append, and does again once something was drained', async () => {
    const { database, node, log } = await start();
    database.weather = weather;
    await log.append('a', [final(0)], after(0));
    await log.append('a', [final(1)], after(1));
    await log.append('b', [final(0)], after(0));
    const appends = () => database.calls.filter((call) => call.startsWith('append'));
    expect(appends()).toEqual(['append a 1']);
    database.weather = 'up';
    await node.drained();
    await log.append('c', [final(0)], after(0));
    await log.append('a', [final(2)], after(2));
    expect(appends()).toEqual(['append a 1', 'append c 1', 'append a 1']);
    expect([seqsIn(database, 'a'), seqsIn(database, 'b')]).toEqual([[1, 2, 3], [1]]);
  });
});

describe('while the database is away', () => {
  it('tries again after 100 ms, then ever more seldom, every 2 s in the end', async () => {
    const { database, node, log } = await start();
    database.weather = 'down';
    await log.append('a', [final(0)], after(0));
    const tries = () => database.calls.filter((call) => call.startsWith('replay')).length;
    for (const [i, delayMs] of [100, 200, 400, 800, 1600, 2000, 2000].entries()) {
      await eventually(() => expect(node.clock.waiting).toBe(1));
      expect(tries()).toBe(i + 1);
      await node.clock.advance(delayMs - 1);
      expect(node.clock.waiting).toBe(1);
      await node.clock.advance(1);
    }
    database.weather = 'up';
    await node.drained();
    expect(seqsIn(database, 'a')).toEqual([1]);
  });

  it('stores once what it had stored without its answer arriving', async () => {
    const { database, node, log } = await start();
    database.weather = 'mute';
    const told = [
      ...(await log.append('a', [started, final(0)], after(0))),
      ...(await log.append('a', [final(1)], after(2))),
    ];
    await eventually(() => expect(node.clock.waiting).toBe(1));
    await node.clock.advance(100);
    await eventually(() => expect(seqsIn(database, 'a')).toEqual([1, 2, 3]));
    expect(log.waiting).toBe(2);
    database.weather = 'up';
    await node.drained();
    expect(database.eventsOf('a').map(plain)).toEqual([started, final(0), final(1)]);
    expect(node.stored).toEqual(['a 3']);
    // The same to the instant, whichever try it was that the database stored.
    expect(database.eventsOf('a')).toEqual(told);
    expect(node.errors).toEqual([]);
  });

  it('has nothing for appends whose seqs the database has to give', async () => {
    const { database, node, log } = await start();
    database.weather = 'down';
    await expect(log.append('a', [final(0)])).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(log.waiting).toBe(0);
    await log.append('b', [final(0)], after(0));
    await expect(log.append('b', [final(1)])).rejects.toMatchObject({ code: 'storage_unavailable' });
    database.weather = 'up';
    await node.drained();
    await log.append('b', [final(1)]);
    expect(seqsIn(database, 'b')).toEqual([1, 2]);
  });

  it('is away for a writer that finds no room, until there is some', async () => {
    const { database, node, log } = await start(1000);
    database.weather = 'down';
    await log.append('a', [final(0, 'x'.repeat(500))], after(0));
    const long = final(1, 'y'.repeat(500));
    await expect(log.append('a', [long], after(1))).rejects.toMatchObject({
      code: 'storage_unavailable',
      cause: { code: 'storage_full' },
    });
    expect(node.codes).toEqual(['storage_full']);
    database.weather = 'up';
    await node.drained();
    await log.append('a', [long], after(1));
    expect(database.eventsOf('a').map(plain)).toEqual([final(0, 'x'.repeat(500)), long]);
  });

  it('is asked again where the spool could not take the only entry', async () => {
    const { database, log } = await start(100);
    database.weather = 'down';
    for (let i = 0; i < 2; i++)
      await expect(log.append('a', [final(0)], after(0))).rejects.toMatchObject({
        code: 'storage_unavailable',
      });
    database.weather = 'up';
    await log.append('a', [final(0)], after(0));
    expect(database.calls).toEqual(Array(3).fill('append a 1'));
  });

  const ENDINGS: [string, DurableDraft][] = [
    ['done', done()],
    ['failed', failed()],
  ];
  it.each(ENDINGS)(
    'takes nothing after the end of a session that is %s, but that it was sent',
    async (_, ending) => {
      const { database, node, log } = await start();
      database.weather = 'down';
      const ended = { code: 'session_ended' };
      await expect(log.append('a', [started, ending, final(0)], after(0))).rejects.toMatchObject(ended);
      await expect(log.append('a', [ending, ending], after(0))).rejects.toMatchObject(ended);
      await log.append('a', [started], after(0));
      await log.append('a', [final(0), ending], after(1));
      for (const draft of [final(1), started, done(), failed()])
        await expect(log.append('a', [draft], after(3))).rejects.toMatchObject(ended);
      await expect(log.append('a', [sent, final(1)], after(3))).rejects.toMatchObject(ended);
      await log.append('a', [sent], after(3));
      await expect(log.append('a', [sent], after(4))).rejects.toMatchObject(ended);

      const next = await restarted(node.kill());
      await expect(next.log.append('a', [final(1)], after(4))).rejects.toMatchObject(ended);
      database.weather = 'up';
      await next.drained();
      expect(database.eventsOf('a').map(plain)).toEqual([started, final(0), ending, sent]);
      expect(next.errors).toEqual([]);
    },
  );

  it('takes nothing from a writer that does not know what another wrote', async () => {
    const { database, node, log } = await start();
    database.claim('a');
    database.weather = 'down';
    await log.append('a', [final(0)], after(0, 2));
    const lost = { code: 'claim_lost' };
    await expect(log.append('a', [final(9)], after(0, 2))).rejects.toMatchObject(lost);
    await expect(log.append('a', [final(9)], after(1, 1))).rejects.toMatchObject(lost);
    await log.append('a', [final(1)], after(1, 2));
    database.weather = 'up';
    await node.drained();
    expect(database.eventsOf('a').map(plain)).toEqual([final(0), final(1)]);
  });
});

describe('draining', () => {
  it('begins with what an earlier process left', async () => {
    const { database, node } = await start();
    database.weather = 'down';
    await node.log.append('a', [started], after(0));
    await node.log.append('a', [final(0)], after(1));
    const next = await restarted(node.kill());
    expect(next.log.waiting).toBe(2);
    // It finds out by itself that the database is away, before anybody waits for that.
    await eventually(() => expect(next.clock.waiting).toBe(1));
    await next.log.append('b', [final(0)], after(0));
    expect(database.calls.filter((call) => call.startsWith('append b'))).toEqual([]);
    database.weather = 'up';
    await next.drained();
    expect([seqsIn(database, 'a'), seqsIn(database, 'b')]).toEqual([[1, 2], [1]]);
  });

  it('is not overtaken by what is appended meanwhile', async () => {
    const { database, node, log } = await start();
    database.weather = 'down';
    await log.append('a', [final(0)], after(0));
    await eventually(() => expect(node.clock.waiting).toBe(1));
    database.weather = 'up';
    const open = database.hold('a');
    const draining = node.drained();
    await eventually(() => expect(database.calls.at(-1)).toBe('replay a 1-1'));
    await log.append('a', [final(1)], after(1));
    const third = log.append('a', [final(2)], after(2));
    const fourth = log.append('a', [final(3)], after(3));
    open();
    await Promise.all([draining, third, fourth]);
    await node.drained();
    expect(database.eventsOf('a').map(plain)).toEqual([final(0), final(1), final(2), final(3)]);
    expect(node.errors).toEqual([]);
  });

  it('lets appends of one session wait for each other', async () => {
    const { database, node, log } = await start();
    const open = database.hold('a');
    const appends = [0, 1, 2].map((seq) => log.append('a', [final(seq)], after(seq)));
    await eventually(() => expect(database.calls).toHaveLength(1));
    database.weather = 'down';
    open();
    await Promise.all(appends);
    expect(database.calls.filter((call) => call.startsWith('append'))).toEqual(['append a 1']);
    database.weather = 'up';
    await node.drained();
    expect(seqsIn(database, 'a')).toEqual([1, 2, 3]);
  });

  it('goes on where one failed append is followed by a good one', async () => {
    const { database, log } = await start();
    await Promise.all([
      expect(log.append('a', [sent], after(0))).rejects.toMatchObject({ code: 'conflict' }),
      log.append('a', [final(0)], after(0)),
    ]);
    expect(seqsIn(database, 'a')).toEqual([1]);
  });

  const LOSSES: [FailureCode, (database: MemoryLog) => void][] = [
    ['claim_lost', (database) => database.claim('a')],
    ['not_found', (database) => database.delete('a')],
    ['session_ended', ({ refusals }) => refusals.set('a', new Failure('session_ended', 'no'))],
  ];
  it.each(LOSSES)('drops what has become pointless (%s), says so, and goes on', async (code, lose) => {
    const { database, node, log } = await start();
    await log.append('a', [started], after(0));
    database.weather = 'down';
    await log.append('a', [final(0)], after(1));
    await log.append('b', [final(0)], after(0));
    await eventually(() => expect(node.clock.waiting).toBe(1));
    database.weather = 'up';
    lose(database);
    await node.drained();
    expect(node.codes).toEqual([code]);
    expect((node.errors[0] as Error).message).toBe('Events 2 to 2 of a are dropped.');
    expect(
      database
        .eventsOf('a')
        .slice(1)
        .map(({ type }) => type),
    ).not.toContain('transcript.final');
    expect(seqsIn(database, 'b')).toEqual([1]);
    await expect(log.append('a', [final(1)], after(2))).rejects.toMatchObject({ code });
    await log.append('b', [final(1)], after(1));
  });

  it('drops all of a claim after what was dropped, and takes no more of it meanwhile', async () => {
    const { database, node, log } = await start();
    database.weather = 'down';
    // So long that they do not go together.
    const long = 'x'.repeat(600_000);
    for (const seq of [0, 1, 2]) await log.append('a', [final(seq, long)], after(seq));
    await log.append('b', [final(0)], after(0));
    await eventually(() => expect(node.clock.waiting).toBe(1));
    while (database.calls.at(-1) !== 'replay b 1-1') await node.clock.advance(100);
    await eventually(() => expect(node.clock.waiting).toBe(1));

    database.weather = 'up';
    database.refusals.set('a', new Failure('session_ended', 'no'));
    const open = database.hold('b');
    database.calls.length = 0;
    const draining = node.drained();
    await eventually(() => expect(database.calls.at(-1)).toBe('replay b 1-1'));
    database.refusals.clear();
    await expect(log.append('a', [final(3)], after(3))).rejects.toMatchObject({ code: 'session_ended' });
    expect(log.waiting).toBe(3);
    open();
    await draining;
    expect(node.codes).toEqual(Array(3).fill('session_ended'));
    expect([seqsIn(database, 'a'), seqsIn(database, 'b')]).toEqual([[], [1]]);
    // That was all of it: from now on the database says, or the spool has room again.
    database.weather = 'down';
    await log.append('a', [final(0)], after(0));
    database.weather = 'up';
    await node.drained();
    expect(seqsIn(database, 'a')).toEqual([1]);
  });

  it('lets others pass where the database answers for all sessions but one', async () => {
    const { database, node, log } = await start();
    database.weather = 'down';
    await log.append('a', [final(0)], after(0));
    await log.append('b', [final(0)], after(0));
    await eventually(() => expect(node.clock.waiting).toBe(1));
    database.weather = 'up';
    database.refusals.set('a', storageUnavailable(new Error('locked')));
    while (database.eventsOf('b').length === 0) await node.clock.advance(100);
    database.refusals.clear();
    await node.drained();
    expect(seqsIn(database, 'a')).toEqual([1]);
    expect(node.errors).toEqual([]);
  });

  it('keeps what the database will not have for another reason, says so, and lets others pass', async () => {
    const { database, node, log } = await start();
    database.weather = 'down';
    await log.append('a', [final(0)], after(0));
    await log.append('b', [final(0)], after(0));
    await eventually(() => expect(node.clock.waiting).toBe(1));
    database.weather = 'up';
    const bug = new TypeError('a bug');
    database.refusals.set('a', bug);
    await node.clock.advance(100);
    await eventually(() => expect(seqsIn(database, 'b')).toEqual([1]));
    await eventually(() => expect(node.clock.waiting).toBe(1));
    expect(log.waiting).toBe(1);
    const told = node.errors.length;
    expect(node.errors.at(-1)).toMatchObject({
      message: 'Events 1 to 1 of a are not accepted, and wait.',
      cause: bug,
    });

    // What comes meanwhile goes behind it, and others are not concerned.
    await log.append('a', [final(1)], after(1));
    await log.append('b', [final(1)], after(1));
    expect(database.calls.at(-1)).toBe('append b 1');
    await node.clock.advance(1_999);
    expect(node.errors).toHaveLength(told);
    await node.clock.advance(1);
    await eventually(() => expect(node.errors).toHaveLength(told + 1));
    database.refusals.clear();
    await node.drained();
    expect(database.eventsOf('a').map(plain)).toEqual([final(0), final(1)]);
  });

  it('says how much is damaged', async () => {
    const { database, node } = await start();
    database.weather = 'down';
    await node.log.append('a', [final(0, 'x'.repeat(100))], after(0));
    await node.log.append('b', [final(0)], after(0));
    const restart = node.kill();
    const file = join(`${spoolPath()}+`, '0000000001.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('xxx', 'xyx'));
    database.weather = 'up';
    const next = await restarted(restart);
    await next.drained();
    expect(next.errors).toEqual([new Error('1 lines of the spool are damaged: their events are lost.')]);
    expect([seqsIn(database, 'a'), seqsIn(database, 'b')]).toEqual([[], [1]]);
  });

  it('can be waited for', async () => {
    const { database, node, log } = await start();
    await log.whenDrained();
    database.weather = 'down';
    await log.append('a', [final(0)], after(0));
    const abort = new AbortController();
    const waiting = log.whenDrained(abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(log.whenDrained(abort.signal)).rejects.toThrow('enough');
    const closed = expect(log.whenDrained()).rejects.toMatchObject({ code: 'shutting_down' });
    await log.close();
    await closed;
    expect(node.errors).toEqual([]);
  });

  it('ends when the log is closed, also where the database does not answer', async () => {
    const { database, node, log } = await start();
    database.weather = 'down';
    await log.append('a', [final(0)], after(0));
    await eventually(() => expect(node.clock.waiting).toBe(1));
    const open = database.hold('a');
    await node.clock.advance(100);
    await eventually(() => expect(database.calls.filter((call) => call === 'replay a 1-1')).toHaveLength(2));
    const closing = log.close();
    await eventually(() => expect(node.clock.waiting).toBe(1));
    await node.clock.advance(2_000);
    await closing;
    database.weather = 'up';
    open();
    await eventually(() => expect(seqsIn(database, 'a')).toEqual([1]));
    await sleep(20);
    expect(node.errors).toEqual([]);
    const next = await restarted(() => SpoolingNode.start(database, spoolPath()));
    expect(next.log.waiting).toBe(1);
    await next.drained();
    expect(seqsIn(database, 'a')).toEqual([1]);
  });
});

describe.runIf(hasPostgres)('over PostgreSQL', () => {
  it('goes on through an outage, and through the end of its process, with nothing lost or stored twice', async () => {
    const database = await freshPostgres();
    const url = new URL(database.url);
    const proxy = new TcpProxy({ host: url.hostname, port: Number(url.port || 5432) });
    await proxy.set('forward');
    url.host = `127.0.0.1:${proxy.port}`;
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const options = {
      databaseUrl: url.href,
      dataDir: '',
      clock: systemClock,
      spool: { folder: spoolPath(), maxBytes: ROOMY, onError },
    };
    const told: DurableEvent[] = [];
    const first = await openStore(options);
    const { id } = await create(first);
    const { fence } = (await first.sessions.claim(id, 'node', Date.now() + 60_000))!;
    const write = async (store: Store, ...drafts: DurableDraft[]) => {
      told.push(...(await store.log.append(id, drafts, { fence, afterSeq: told.length })));
    };
    await write(first, started);
    await proxy.set('refuse');
    await write(first, final(0), token('rsp_1', 0, 'ü\u2028'));
    await write(first, final(1000));
    // A reader who comes now, by another way, finds a log that is behind, and hears nothing of what was told before.
    const hub = new Hub();
    first.onStored((sessionId, seq) => hub.lookAgain(sessionId, seq));
    const direct = await openStore({ databaseUrl: database.url, dataDir: '', clock: systemClock });
    const read: SessionEvent[] = [];
    const leaving = new AbortController();
    const reading = (async () => {
      const parts = { store: direct, hub, clock: systemClock };
      for await (const event of follow(id, 0, parts, leaving.signal)) read.push(event);
    })();
    await vi.waitFor(() => expect(read).toHaveLength(1), { timeout: 60_000 });
    await proxy.set('forward');
    await vi.waitFor(() => expect(read).toEqual(told), { timeout: 60_000 });
    leaving.abort();
    await reading;
    await direct.close();
    await vi.waitFor(async () => expect(await first.log.read(id, 0, 9)).toEqual(told), { timeout: 60_000 });
    await write(first, final(2000));
    await proxy.set('refuse');
    await write(first, final(3000), done());
    expect(first.isWaiting(id)).toBe(true);
    await first.close();

    await proxy.set('forward');
    const second = await openStore(options);
    await vi.waitFor(() => expect(second.isWaiting(id)).toBe(false), { timeout: 60_000 });
    expect(JSON.stringify(await second.log.read(id, 0, 9))).toBe(JSON.stringify(told));
    const stored: [string, number][] = [];
    second.onStored((sessionId, seq) => stored.push([sessionId, seq]));
    expect(stored).toEqual([[id, 7]]);
    expect(await second.sessions.find(id, null)).toMatchObject({ state: 'DONE', lastSeq: 7 });
    expect(errors).toEqual([]);
    await second.close();
    await proxy.close();
    await database.drop();
  });
});
