import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/bus/outbox.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { final, partial, telling } from './messages.ts';

/** A transport that answers when it is told to. */
class SlowWire {
  readonly batches: string[][] = [];
  #answer: { resolve: () => void; reject: (error: Error) => void } | null = null;

  readonly deliver = (texts: readonly string[]): Promise<void> => {
    expect(this.#answer, 'one batch on its way at a time').toBeNull();
    this.batches.push([...texts]);
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
    });
  };

  async answer(how: 'well' | 'badly', clock: FakeClock): Promise<void> {
    const { resolve, reject } = this.#answer!;
    this.#answer = null;
    if (how === 'well') resolve();
    else reject(new Error('cut'));
    await clock.advance(0);
  }
}

function setUp(maxBytes = 100_000) {
  const clock = new FakeClock();
  const wire = new SlowWire();
  const outbox = new Outbox({ nodeId: 'a', clock, maxBytes: () => maxBytes, deliver: wire.deliver });
  const sessionsOf = (batch: string[] | undefined) =>
    batch?.map((text) => JSON.parse(text).message.sessionId ?? JSON.parse(text).message.event.sessionId);
  return { clock, wire, outbox, sessionsOf };
}

describe('the outbox', () => {
  it('sends what is said in one breath in one batch, and what is said meanwhile in the next', async () => {
    const { clock, wire, outbox, sessionsOf } = setUp();
    for (const sessionId of ['a', 'b']) outbox.send({ kind: 'cancel', sessionId });
    await clock.advance(0);
    for (const sessionId of ['c', 'd', 'e']) outbox.send({ kind: 'cancel', sessionId });
    await clock.advance(0);
    expect(wire.batches.map(sessionsOf)).toEqual([['a', 'b']]);
    await wire.answer('well', clock);
    expect(wire.batches.map(sessionsOf)).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    await wire.answer('well', clock);
    outbox.send({ kind: 'cancel', sessionId: 'f' });
    await clock.advance(0);
    expect(sessionsOf(wire.batches[2])).toEqual(['f']);
    expect(outbox.counts).toEqual({ waiting: 1, sent: 5, dropped: 0 });
  });

  it('sends again, in the same order, what was not delivered', async () => {
    const { clock, wire, outbox, sessionsOf } = setUp();
    for (const sessionId of ['a', 'b']) outbox.send({ kind: 'cancel', sessionId });
    await clock.advance(0);
    outbox.send({ kind: 'cancel', sessionId: 'c' });
    await wire.answer('badly', clock);
    expect(wire.batches).toHaveLength(1);
    await clock.advance(500);
    expect(sessionsOf(wire.batches[1])).toEqual(['a', 'b', 'c']);
  });

  it('holds a thousand messages while nobody answers, and of one utterance one partial', async () => {
    const { clock, wire, outbox, sessionsOf } = setUp();
    outbox.send({ kind: 'cancel', sessionId: 'on-its-way' });
    await clock.advance(0);
    outbox.send(telling(final('first', 1)));
    for (let round = 0; round < 50; round++) outbox.send(telling(partial('talk', 'utt_1', `${round}`)));
    expect(outbox.counts).toEqual({ waiting: 3, sent: 0, dropped: 0 });
    for (let session = 0; session < 2_000; session++) outbox.send(telling(partial(`${session}`, 'utt_1')));
    expect(outbox.counts).toEqual({ waiting: 1_001, sent: 0, dropped: 1_002 });
    await wire.answer('well', clock);
    expect(sessionsOf(wire.batches[1])?.slice(0, 2)).toEqual(['first', '1001']);
  });

  it('divides much into batches', async () => {
    const { clock, wire, outbox } = setUp();
    for (let seq = 1; seq <= 10; seq++) outbox.send(telling(final('s', seq, 'a'.repeat(90_000))));
    await clock.advance(0);
    expect(wire.batches[0]).toHaveLength(3);
    expect(outbox.counts.waiting).toBe(10);
    await wire.answer('well', clock);
    expect(wire.batches[1]).toHaveLength(3);
    expect(outbox.counts).toEqual({ waiting: 7, sent: 3, dropped: 0 });
  });

  it('counts a hint that is too large as dropped, and goes on', async () => {
    const { clock, wire, outbox, sessionsOf } = setUp(300);
    outbox.send(telling(partial('s', 'utt_1', 'a'.repeat(300))));
    outbox.send({ kind: 'cancel', sessionId: 't' });
    await clock.advance(0);
    expect(wire.batches.map(sessionsOf)).toEqual([['t']]);
    expect(outbox.counts.dropped).toBe(1);
  });

  it('sends what is waiting before it is closed, and takes nothing more', async () => {
    const { clock, wire, outbox, sessionsOf } = setUp();
    outbox.send({ kind: 'cancel', sessionId: 'a' });
    const closing = outbox.close();
    outbox.send({ kind: 'cancel', sessionId: 'b' });
    await clock.advance(0);
    await wire.answer('well', clock);
    await closing;
    expect(wire.batches.map(sessionsOf)).toEqual([['a']]);
    expect(outbox.counts).toEqual({ waiting: 0, sent: 1, dropped: 1 });
    expect(clock.waiting).toBe(0);
  });

  it('tries once more, and only once, when it is closed while nobody answers', async () => {
    const { clock, wire, outbox } = setUp();
    outbox.send({ kind: 'cancel', sessionId: 'a' });
    await clock.advance(0);
    await wire.answer('badly', clock);
    const closing = outbox.close();
    await clock.advance(0);
    await wire.answer('badly', clock);
    await closing;
    expect(wire.batches).toHaveLength(2);
    expect(outbox.counts).toEqual({ waiting: 0, sent: 0, dropped: 1 });
  });

  it('does not wait for long where no answer comes', async () => {
    const { clock, outbox } = setUp();
    outbox.send({ kind: 'cancel', sessionId: 'a' });
    await clock.advance(0);
    let closed = false;
    const closing = outbox.close().then(() => {
      closed = true;
    });
    await clock.advance(1_999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
  });
});
