/** Nodes that talk to each other, on every transport there is. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BusMessage } from '../../src/bus/bus.ts';
import { EVENTS, final, partial, telling } from './messages.ts';
import { meet, Node } from './nodes.ts';
import { TRANSPORTS, type Wire } from './transports.ts';

/** Sent last: what was sent before it has arrived when this has. */
const END: BusMessage = { kind: 'cancel', sessionId: 'end' };
const isHello = (message: BusMessage) => message.kind === 'take' && message.sessionId === 'hello';
const heardBy = (node: Node) => node.heard.filter((message) => !isHello(message));

for (const { name, isThere, lay, tooManyChars } of TRANSPORTS) {
  describe.runIf(isThere)(`the bus, on ${name}`, () => {
    let wire: Wire;
    let nodes: Node[];
    let [a, b, c]: Node[] = [];

    beforeEach(async () => {
      wire = await lay();
      nodes = ['a', 'b', 'c'].map((nodeId) => new Node(wire.open(nodeId)));
      [a, b, c] = nodes;
      await meet(nodes);
    });
    afterEach(async () => {
      await Promise.all(nodes.map((node) => node.bus.close()));
      await wire.close();
    });

    it('brings a message to the others, and not to oneself', async () => {
      a!.bus.send({ kind: 'follow', sessionId: 'ses_1' });
      a!.bus.send(END);
      await Promise.all([b!.hears(END), c!.hears(END)]);
      b!.bus.send({ kind: 'cancel', sessionId: 'ses_2' });
      await a!.hears({ kind: 'cancel', sessionId: 'ses_2' });
      expect(heardBy(a!)).toEqual([{ kind: 'cancel', sessionId: 'ses_2' }]);
      expect(heardBy(b!)).toEqual([{ kind: 'follow', sessionId: 'ses_1' }, END]);
    });

    it('brings events of every type as they were told, in order', async () => {
      const told = Object.values(EVENTS).map((event, index) =>
        telling({ ...event, sessionId: `ses_${index}`, text: '들린다 👂 \u0000 \ud800 "\\' } as typeof event),
      );
      for (const message of [...told, END]) a!.bus.send(message);
      await b!.hears(END);
      expect(JSON.stringify(heardBy(b!))).toBe(JSON.stringify([...told, END]));
    });

    it('says of an event that is too large that the log has it, and drops a hint', async () => {
      const text = 'a'.repeat(tooManyChars);
      const { dropped } = a!.bus.counts;
      a!.bus.send(telling(partial('ses_1', 'utt_1', text)));
      a!.bus.send(telling(final('ses_1', 12, text)));
      a!.bus.send(telling(final('ses_1', 13, text.slice(0, -500))));
      a!.bus.send(END);
      await b!.hears(END);
      expect(heardBy(b!)).toEqual([
        { kind: 'changed', sessionId: 'ses_1', seq: 12 },
        telling(final('ses_1', 13, text.slice(0, -500))),
        END,
      ]);
      expect(a!.bus.counts.dropped).toBe(dropped + 1);
    });

    it('drops what it does not understand, and listens on', async () => {
      for (const text of ['hello', '{}', 'null', '{"from":"x","message":{"kind":"cancel"}}'])
        await wire.say(text);
      await wire.say(JSON.stringify({ from: 'x', message: END }));
      await Promise.all(nodes.map((node) => node.hears(END)));
      for (const node of nodes) expect(heardBy(node)).toEqual([END]);
      for (const node of nodes) expect(node.bus.counts.malformed).toBe(4);
    });

    it('listens again by itself when it was cut off', async () => {
      await wire.cut();
      await meet(nodes);
      a!.bus.send(END);
      await Promise.all([b!.hears(END), c!.hears(END)]);
    });

    it('holds a thousand messages while nobody can be reached, and of an utterance the newest partial', async () => {
      const beside = new Node(wire.openBeside('beside'));
      nodes.push(beside);
      await meet(nodes);
      await vi.waitFor(() => expect(a!.bus.counts.waiting).toBe(0));
      const { dropped } = a!.bus.counts;
      await wire.takeDown();
      a!.bus.send({ kind: 'cancel', sessionId: 'first' });
      for (let utterance = 0; utterance < 1_500; utterance++)
        a!.bus.send(telling(partial('ses_1', `utt_${utterance}`)));
      for (let round = 0; round < 500; round++) a!.bus.send(telling(partial('ses_2', 'utt_1', `${round}`)));
      expect(a!.bus.counts).toMatchObject({ waiting: 1_000, dropped: dropped + 502 });
      await wire.bringUp();
      await beside.hears(telling(partial('ses_2', 'utt_1', '499')));
      const events = heardBy(beside).flatMap((message) => (message.kind === 'event' ? [message.event] : []));
      const ofTheFirst = events.filter(({ sessionId }) => sessionId === 'ses_1');
      expect(ofTheFirst.at(0)).toEqual(partial('ses_1', 'utt_502'));
      expect(ofTheFirst.at(-1)).toEqual(partial('ses_1', 'utt_1499'));
      const ofTheSecond = events.filter(({ sessionId }) => sessionId === 'ses_2');
      expect(ofTheSecond.at(0)).toEqual(partial('ses_2', 'utt_1', '499'));
      expect(heardBy(beside)).toContainEqual({ kind: 'cancel', sessionId: 'first' });
    });

    it('goes on when a receiver throws, and is silent to one that has stopped', async () => {
      const seen: BusMessage[] = [];
      const see = (message: BusMessage) => {
        if (!isHello(message)) seen.push(message);
      };
      b!.bus.onMessage(() => {
        throw new Error('a bug');
      });
      b!.bus.onMessage(see);
      const stop = b!.bus.onMessage(see);
      stop();
      a!.bus.send(END);
      await b!.hears(END);
      await vi.waitFor(() => expect(seen).toEqual([END]));
    });

    it('sends what is waiting before it closes, and then neither speaks nor hears', async () => {
      for (let session = 0; session < 300; session++)
        a!.bus.send({ kind: 'cancel', sessionId: `${session}` });
      await a!.bus.close();
      await b!.hears({ kind: 'cancel', sessionId: '299' });
      expect(heardBy(b!)).toHaveLength(300);
      a!.bus.send({ kind: 'cancel', sessionId: 'after' });
      b!.bus.send(END);
      await c!.hears(END);
      expect(c!.heard).not.toContainEqual({ kind: 'cancel', sessionId: 'after' });
      expect(heardBy(a!)).toEqual([]);
    });
  });
}
