import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Relay } from '../../src/bus/relay.ts';
import { isDurable, type SessionEvent } from '../../src/domain/event.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryNetwork } from './memory-network.ts';
import { final, partial } from './messages.ts';

/** What a node was told, in words. */
class Told {
  readonly events: SessionEvent[] = [];
  readonly changed: string[] = [];
  readonly taken: string[] = [];
  readonly cancelled: string[] = [];
}

function cluster(...names: string[]) {
  const clock = new FakeClock();
  const network = new MemoryNetwork();
  const nodes = names.map((name) => {
    const told = new Told();
    const bus = network.open(name);
    const relay = new Relay({
      bus,
      clock,
      deliver: (_tenantId, event) => told.events.push(event),
      changed: (sessionId) => told.changed.push(sessionId),
      take: (sessionId, requestId) => told.taken.push(`${sessionId} ${requestId}`),
      cancel: (sessionId) => told.cancelled.push(sessionId),
    });
    return { relay, told, bus };
  });
  const sentEvents = () => network.sent.filter(({ message }) => message.kind === 'event').length;
  return { clock, network, nodes, sentEvents };
}

describe('the relay', () => {
  it('brings the events of a session to the nodes that follow it, and to no others', async () => {
    const { clock, nodes } = cluster('owner', 'reader', 'other');
    const [owner, reader, other] = nodes;
    reader!.relay.follow('s');
    other!.relay.follow('t');
    await clock.advance(0);
    const events = [partial('s', 'utt_1'), final('s', 1), final('s', 2)];
    for (const event of events) owner!.relay.publish('local', event);
    await clock.advance(0);
    expect(reader!.told.events).toEqual(events);
    expect(other!.told.events).toEqual([]);
    expect(owner!.told.events).toEqual([]);
  });

  it('says nothing of a session that nobody else follows', async () => {
    const { clock, nodes, network } = cluster('owner', 'other');
    nodes[0]!.relay.publish('local', final('s', 1));
    await clock.advance(60_000);
    expect(network.sent).toEqual([]);
  });

  it('goes on for as long as somebody follows, by asking every ten seconds', async () => {
    const { clock, nodes, network, sentEvents } = cluster('owner', 'reader');
    const [owner, reader] = nodes;
    reader!.relay.follow('s');
    reader!.relay.follow('s');
    await clock.advance(60_000);
    expect(network.sent).toHaveLength(7);
    owner!.relay.publish('local', partial('s', 'utt_1'));
    expect(sentEvents()).toBe(1);
    await clock.advance(0);
    reader!.relay.unfollow('s');
    await clock.advance(29_999);
    owner!.relay.publish('local', partial('s', 'utt_1'));
    expect(sentEvents()).toBe(2);
    await clock.advance(1);
    owner!.relay.publish('local', partial('s', 'utt_1'));
    expect(sentEvents()).toBe(2);
    expect(reader!.told.events).toHaveLength(1);
    expect(clock.waiting).toBe(0);
  });

  it('says to one who begins to follow that the log has something', async () => {
    const { clock, nodes } = cluster('owner', 'reader');
    const [owner, reader] = nodes;
    owner!.relay.publish('local', final('s', 1));
    reader!.relay.follow('s');
    await clock.advance(30_000);
    expect(new Set(reader!.told.changed)).toEqual(new Set(['s']));
    expect(reader!.told.events).toEqual([]);
  });

  it('goes on through two lost askings', async () => {
    const { clock, nodes, network } = cluster('owner', 'reader');
    const [owner, reader] = nodes;
    reader!.relay.follow('s');
    await clock.advance(0);
    network.copies = () => 0;
    await clock.advance(29_999);
    network.copies = () => 1;
    owner!.relay.publish('local', final('s', 1));
    await clock.advance(0);
    expect(reader!.told.events).toEqual([final('s', 1)]);
  });

  it('tells one who lost the last event of it when it asks again', async () => {
    const { clock, nodes, network } = cluster('owner', 'reader');
    const [owner, reader] = nodes;
    reader!.relay.follow('s');
    await clock.advance(0);
    owner!.relay.publish('local', final('s', 1));
    await clock.advance(0);
    network.copies = () => 0;
    owner!.relay.publish('local', final('s', 2));
    await clock.advance(0);
    network.copies = () => 1;
    expect(reader!.told.changed).toEqual([]);
    await clock.advance(60_000);
    expect(new Set(reader!.told.changed)).toEqual(new Set(['s']));
    expect(reader!.told.events).toEqual([final('s', 1)]);
  });

  it('says when the log has what was told before it had', async () => {
    const { clock, nodes } = cluster('owner', 'reader');
    const [owner, reader] = nodes;
    reader!.relay.follow('s');
    await clock.advance(0);
    owner!.relay.publish('local', final('s', 1));
    await clock.advance(0);
    expect(reader!.told.changed).toEqual([]);
    owner!.relay.stored('s', 1);
    owner!.relay.stored('followed later', 4);
    await clock.advance(0);
    expect(reader!.told.changed).toEqual(['s']);
    reader!.relay.follow('followed later');
    await clock.advance(0);
    expect(reader!.told.changed).toEqual(['s', 'followed later']);
  });

  it('says that the log has what is too large to be sent', async () => {
    const { clock, nodes } = cluster('owner', 'reader');
    const [owner, reader] = nodes;
    reader!.relay.follow('s');
    await clock.advance(0);
    owner!.relay.publish('local', final('s', 1, 'a'.repeat(8_000)));
    await clock.advance(0);
    expect(reader!.told.changed).toEqual(['s']);
  });

  it('has told of every event once what was lost or doubled was asked for again', async () => {
    const step = fc.oneof(
      fc.record({ publish: fc.constantFrom('s', 't') }),
      fc.record({ passMs: fc.integer({ min: 0, max: 25_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.infiniteStream(fc.nat(2)),
        async (steps, fates) => {
          const { clock, nodes, network } = cluster('owner', 'reader');
          const [owner, reader] = nodes;
          const last = new Map<string, number>();
          const known = new Map<string, number>();
          const learn = (sessionId: string, seq: number) =>
            known.set(sessionId, Math.max(seq, known.get(sessionId) ?? 0));
          network.copies = () => fates.next().value!;
          for (const sessionId of ['s', 't']) reader!.relay.follow(sessionId);
          for (const each of steps) {
            if ('passMs' in each) await clock.advance(each.passMs);
            else {
              const seq = (last.get(each.publish) ?? 0) + 1;
              last.set(each.publish, seq);
              owner!.relay.publish('local', final(each.publish, seq));
              await clock.advance(0);
            }
            // Who is told that the log has more reads it to its end.
            for (const sessionId of reader!.told.changed.splice(0)) learn(sessionId, last.get(sessionId)!);
          }
          network.copies = () => 1;
          await clock.advance(10_000);
          for (const sessionId of reader!.told.changed.splice(0)) learn(sessionId, last.get(sessionId)!);
          for (const event of reader!.told.events) if (isDurable(event)) learn(event.sessionId, event.seq);
          expect(known).toEqual(last);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('hands on that a session is wanted elsewhere, and that it was deleted', async () => {
    const { clock, nodes } = cluster('a', 'b', 'c');
    const [a, b, c] = nodes;
    a!.bus.send({ kind: 'take', sessionId: 's', requestId: 'r' });
    a!.bus.send({ kind: 'cancel', sessionId: 't' });
    await clock.advance(0);
    for (const { told } of [b!, c!]) {
      expect(told.taken).toEqual(['s r']);
      expect(told.cancelled).toEqual(['t']);
    }
    expect(a!.told.taken).toEqual([]);
  });

  it('remembers ten thousand followed sessions, and forgets the one that was asked for longest ago', async () => {
    const { clock, nodes, network, sentEvents } = cluster('owner');
    const [owner] = nodes;
    const reader = network.open('reader');
    for (let session = 0; session < 10_001; session++) {
      reader.send({ kind: 'follow', sessionId: `${session}` });
      if (session === 1) reader.send({ kind: 'follow', sessionId: '0' });
    }
    await clock.advance(0);
    expect(owner!.relay.followedElsewhere).toBe(10_000);
    owner!.relay.publish('local', partial('1', 'utt_1'));
    expect(sentEvents()).toBe(0);
    owner!.relay.publish('local', partial('0', 'utt_1'));
    expect(sentEvents()).toBe(1);
  });

  it('forgets who asked no more when somebody else asks', async () => {
    const { clock, nodes, network } = cluster('owner');
    const reader = network.open('reader');
    for (let session = 0; session < 100; session++) reader.send({ kind: 'follow', sessionId: `${session}` });
    await clock.advance(30_000);
    reader.send({ kind: 'follow', sessionId: 'new' });
    await clock.advance(0);
    expect(nodes[0]!.relay.followedElsewhere).toBe(1);
  });

  it('is deaf and asks nothing once it is closed', async () => {
    const { clock, nodes, network } = cluster('owner', 'reader');
    const [owner, reader] = nodes;
    reader!.relay.follow('s');
    await clock.advance(0);
    reader!.relay.close();
    owner!.relay.publish('local', final('s', 1));
    await clock.advance(60_000);
    expect(reader!.told.events).toEqual([]);
    expect(network.sent.filter(({ message }) => message.kind === 'follow')).toHaveLength(1);
    expect(clock.waiting).toBe(0);
  });
});
