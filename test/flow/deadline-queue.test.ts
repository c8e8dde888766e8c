import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from '../../src/flow/deadline-queue.ts';

describe('a deadline queue', () => {
  it('gives the earliest deadline first, and equal ones in order of arrival', () => {
    const entries = fc.array(fc.record({ deadlineMs: fc.nat(20), removed: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(entries, (given) => {
        const queue = new DeadlineQueue<{ deadlineMs: number; removed: boolean }>();
        for (const item of given) queue.push(item, item.deadlineMs);
        for (const item of given) if (item.removed) expect(queue.remove(item)).toBe(true);
        const kept = given.filter((item) => !item.removed);
        const expected = [...kept].sort((a, b) => a.deadlineMs - b.deadlineMs);
        const popped = [];
        while (queue.size > 0) popped.push(queue.pop()!);
        expect(popped).toEqual(expected);
        for (const [at, item] of expected.entries()) expect(popped[at]).toBe(item);
      }),
    );
  });

  it('gives the earliest of those that are wanted, and leaves the others in order', () => {
    const entries = fc.array(fc.record({ deadlineMs: fc.nat(20), wanted: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(entries, (given) => {
        const queue = new DeadlineQueue<{ deadlineMs: number; wanted: boolean }>();
        for (const item of given) queue.push(item, item.deadlineMs);
        const sorted = [...given].sort((a, b) => a.deadlineMs - b.deadlineMs);
        const first = () => queue.peekWhere(({ wanted }) => wanted)?.item;
        for (const item of sorted.filter(({ wanted }) => wanted)) {
          expect(first()).toBe(item);
          queue.remove(item);
        }
        expect(first()).toBeUndefined();
        for (const item of sorted.filter(({ wanted }) => !wanted)) expect(queue.pop()).toBe(item);
      }),
    );
  });

  it('has nothing to give or remove when empty', () => {
    const queue = new DeadlineQueue<string>();
    expect(queue.pop()).toBeUndefined();
    expect(queue.remove('x')).toBe(false);
  });
});
