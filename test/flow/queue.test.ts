import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Queue } from '../../src/flow/queue.ts';

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};

describe('a bounded queue', () => {
  it('hands everything on in order, however reader and writer alternate', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 4 }), async (items, capacity) => {
        const queue = new Queue<number>(capacity);
        const writing = (async () => {
          for (const item of items) await queue.push(item);
          queue.close();
        })();
        const read: number[] = [];
        for await (const item of queue) read.push(item);
        await writing;
        expect(read).toEqual(items);
      }),
    );
  });

  it('makes the writer wait while it is full, by weight', async () => {
    const queue = new Queue<string>(4, (text) => text.length);
    await queue.push('abcd');
    const second = queue.push('e');
    expect(await settled(second)).toBe(false);
    const reader = queue[Symbol.asyncIterator]();
    expect((await reader.next()).value).toBe('abcd');
    expect(await second).toBe(true);
    expect(queue.weight).toBe(1);
  });

  it('gives what it holds before it fails its reader', async () => {
    const queue = new Queue<number>(2);
    await queue.push(1);
    queue.fail(new Error('broken'));
    const reader = queue[Symbol.asyncIterator]();
    expect((await reader.next()).value).toBe(1);
    await expect(reader.next()).rejects.toThrow('broken');
  });

  it('lets a waiting writer go when its reader leaves', async () => {
    const queue = new Queue<number>(1);
    await queue.push(1);
    const blocked = queue.push(2);
    const reader = queue[Symbol.asyncIterator]();
    await reader.next();
    await reader.return?.();
    await blocked;
    expect(await queue.push(3)).toBe(false);
  });
});
