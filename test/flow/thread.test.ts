import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { Thread, ThreadDied, threadEntry } from '../../src/flow/thread.ts';

type Api = {
  double(n: number): number;
  data(): string;
  fail(): void;
  die(): void;
  hoard(): void;
  hoardBuffers(): void;
  count(upTo: number): string;
  untilStopped(): string;
};

const threads: Thread<Api>[] = [];
const start = (): Thread<Api> => {
  const thread = new Thread<Api>(new URL('./thread-worker.mjs', import.meta.url), {
    name: 'test',
    data: 'given',
  });
  threads.push(thread);
  return thread;
};

afterEach(() => Promise.all(threads.splice(0).map((thread) => thread.close())));

describe('a thread', () => {
  it('answers calls, each with its own result', async () => {
    const thread = start();
    expect(await Promise.all([1, 2, 3].map((n) => thread.call('double', [n])))).toEqual([2, 4, 6]);
    expect(await thread.call('data', [])).toBe('given');
    expect(thread.pending).toBe(0);
  });

  it('hands a failure over with its code', async () => {
    const failure = await start()
      .call('fail', [])
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect((failure as Failure).code).toBe('audio_undecodable');
  });

  it('reports progress before the result', async () => {
    const seen: unknown[] = [];
    expect(await start().call('count', [3], { onProgress: (value) => seen.push(value) })).toBe('counted');
    expect(seen).toEqual([1, 2, 3]);
  });

  it('tells a method that its call was cancelled', async () => {
    const abort = new AbortController();
    const call = start().call('untilStopped', [], { signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    expect(await call).toBe('stopped');
  });

  it('rejects what it was doing when it dies, and starts again with the next call', async () => {
    const thread = start();
    const waiting = thread.call('untilStopped', []);
    const dying = thread.call('die', []);
    await expect(waiting).rejects.toBeInstanceOf(ThreadDied);
    await expect(dying).rejects.toBeInstanceOf(ThreadDied);
    expect(await thread.call('double', [21])).toBe(42);
  });

  it.each(['hoard', 'hoardBuffers'] as const)(
    'ends when it holds on to too much memory (%s)',
    async (method) => {
      const thread = start();
      const calls = async () => {
        for (let i = 0; i < 20; i++) await thread.call(method, []);
      };
      await expect(calls()).rejects.toBeInstanceOf(ThreadDied);
      expect(await thread.call('double', [4])).toBe(8);
    },
  );

  it('keeps the calls of a new worker apart from the end of the one before', async () => {
    const thread = start();
    await thread.call('double', [1]);
    const restarted = thread.restart();
    expect(await thread.call('double', [4])).toBe(8);
    await restarted;
  });

  it('lets what it is doing come to its end when it is closed', async () => {
    const thread = start();
    const stopping = thread.call('untilStopped', []);
    const counting = thread.call('count', [1000]);
    await thread.close();
    expect(await Promise.all([stopping, counting])).toEqual(['stopped', 'counted']);
  });

  it('refuses calls once closed', async () => {
    const thread = start();
    await thread.close();
    await expect(thread.call('double', [1])).rejects.toBeInstanceOf(ThreadDied);
  });

  it('finds the built file of a source file', () => {
    expect(threadEntry('file:///a/src/whisper/pool.ts', './worker.js').href).toBe(
      'file:///a/dist/whisper/worker.js',
    );
    expect(threadEntry('file:///src/a/src/x.ts', './y.js').href).toBe('file:///src/a/dist/y.js');
    expect(threadEntry('file:///a/dist/x.js', './y.js').href).toBe('file:///a/dist/y.js');
  });
});
