import { describe, expect, it } from 'vitest';
import type { BusMessage } from '../../src/bus/bus.ts';
import { Waiting } from '../../src/bus/waiting.ts';
import { EVENTS, final, partial, telling } from './messages.ts';

const follow = (sessionId: string): BusMessage => ({ kind: 'follow', sessionId });
const changed = (sessionId: string, seq: number): BusMessage => ({ kind: 'changed', sessionId, seq });
const take = (sessionId: string, requestId: string): BusMessage => ({ kind: 'take', sessionId, requestId });
const cancel = (sessionId: string): BusMessage => ({ kind: 'cancel', sessionId });

function line(capacity: number, messages: readonly BusMessage[]): Waiting {
  const waiting = new Waiting(capacity);
  for (const message of messages) waiting.add({ message, sinceMs: 0 });
  return waiting;
}

function drain(waiting: Waiting, nowMs = 0): BusMessage[] {
  const taken: BusMessage[] = [];
  for (let next = waiting.take(nowMs); next; next = waiting.take(nowMs)) taken.push(next.message);
  return taken;
}

describe('the line of waiting messages', () => {
  const progress = telling(EVENTS['session.progress']);
  const [old, young] = [telling(partial('s', 'u', 'a')), telling(partial('s', 'u', 'a b'))];
  it.each<[string, BusMessage[], BusMessage[]]>([
    ['a partial by the next of its utterance', [old, cancel('x'), young], [cancel('x'), young]],
    ['no partial of another utterance', [old, telling(partial('s', 'v'))], [old, telling(partial('s', 'v'))]],
    ['no partial of another session', [old, telling(partial('t', 'u'))], [old, telling(partial('t', 'u'))]],
    ['progress by the next of its session', [progress, progress], [progress]],
    [
      'no event of the log',
      [telling(final('s', 1)), telling(final('s', 2))],
      [telling(final('s', 1)), telling(final('s', 2))],
    ],
    [
      'what the log has by what it has now',
      [changed('s', 1), changed('t', 1), changed('s', 2)],
      [changed('t', 1), changed('s', 2)],
    ],
    ['asking twice by asking once', [follow('s'), follow('s')], [follow('s')]],
    ['no request by another', [take('s', 'r'), take('s', 'q')], [take('s', 'r'), take('s', 'q')]],
  ])('replaces %s', (_name, messages, left) => {
    const waiting = line(10, messages);
    expect(drain(waiting)).toEqual(left);
    expect(waiting.dropped).toBe(0);
  });

  const hints = ['u', 'v', 'w'].map((utterance) => telling(partial('s', utterance)));
  const facts = [1, 2, 3].map((seq) => telling(final('s', seq)));
  it.each<[string, BusMessage[], BusMessage[]]>([
    ['the oldest hint first', [facts[0]!, ...hints], [facts[0]!, hints[1]!, hints[2]!]],
    ['a hint rather than the facts before it', [...facts, hints[0]!], facts],
    [
      'what the log has rather than what is said once',
      [cancel('s'), take('s', 'r'), facts[0]!, facts[1]!],
      [cancel('s'), take('s', 'r'), facts[1]!],
    ],
    [
      'what is asked again rather than what is said once',
      [cancel('s'), follow('s'), take('s', 'r'), cancel('t')],
      [cancel('s'), take('s', 'r'), cancel('t')],
    ],
    ['the oldest of what is all said once', ['a', 'b', 'c', 'd'].map(cancel), ['b', 'c', 'd'].map(cancel)],
  ])('drops, where it is full, %s', (_name, messages, left) => {
    const waiting = line(3, messages);
    expect(waiting.dropped).toBe(1);
    expect(drain(waiting)).toEqual(left);
  });

  it('puts back in front what was not delivered, but for what was said better since', () => {
    const waiting = line(10, [old, follow('s')]);
    const taken = [waiting.take(0)!, waiting.take(0)!];
    waiting.add({ message: cancel('s'), sinceMs: 1 });
    waiting.add({ message: young, sinceMs: 1 });
    waiting.putBack(taken);
    expect(drain(waiting)).toEqual([follow('s'), cancel('s'), young]);
  });

  it('stays within its bound when messages are put back', () => {
    const waiting = line(3, facts);
    const taken = [waiting.take(0)!, waiting.take(0)!];
    for (const seq of [4, 5]) waiting.add({ message: telling(final('s', seq)), sinceMs: 0 });
    waiting.putBack(taken);
    expect([waiting.size, waiting.dropped]).toEqual([3, 2]);
    expect(drain(waiting)).toEqual([3, 4, 5].map((seq) => telling(final('s', seq))));
  });

  it('drops what waited for more than ten seconds', () => {
    const waiting = line(10, [cancel('s')]);
    waiting.add({ message: cancel('t'), sinceMs: 1 });
    expect(drain(waiting, 10_001)).toEqual([cancel('t')]);
    expect(waiting.dropped).toBe(1);
  });
});
