import { describe, expect, it } from 'vitest';
import { abortable } from '../../src/flow/abortable.ts';

async function* counting(log: string[] = []): AsyncGenerator<number> {
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    log.push('finished');
  }
}

const stuck: AsyncIterable<number> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
};

async function take(source: AsyncIterable<number>, count: number): Promise<number[]> {
  const items: number[] = [];
  for await (const item of source) if (items.push(item) === count) break;
  return items;
}

describe('an abortable stream', () => {
  it('reads like its source', async () => {
    expect(await take(abortable(counting(), new AbortController().signal), 3)).toEqual([0, 1, 2]);
    expect(await take(abortable(counting(), undefined), 3)).toEqual([0, 1, 2]);
  });

  it('lets its source finish when the reader leaves', async () => {
    const log: string[] = [];
    await take(abortable(counting(log), new AbortController().signal), 1);
    expect(log).toEqual(['finished']);
  });

  it('stops with the reason, also while it waits', async () => {
    const abort = new AbortController();
    const reading = take(abortable(stuck, abort.signal), 1);
    abort.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });

  it('does not begin once aborted', async () => {
    await expect(take(abortable(counting(), AbortSignal.abort(new Error('never'))), 1)).rejects.toThrow(
      'never',
    );
  });

  it('passes on what its source throws', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      throw new Error('broken');
    }
    await expect(take(abortable(failing(), new AbortController().signal), 2)).rejects.toThrow('broken');
  });
});
