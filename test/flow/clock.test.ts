import { describe, expect, it } from 'vitest';
import { waitAtMost } from '../../src/flow/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('waiting for something at most so long', () => {
  const never = new Promise<never>(() => {});
  const settled = async (waiting: Promise<void>): Promise<boolean> =>
    await Promise.race([waiting.then(() => true), Promise.resolve().then(() => Promise.resolve(false))]);

  it('ends when it comes', async () => {
    await waitAtMost(new FakeClock(), 1000, Promise.resolve());
  });

  it('ends when the time is over, and not before', async () => {
    const clock = new FakeClock();
    const waiting = waitAtMost(clock, 1000, never);
    await clock.advance(999);
    expect(await settled(waiting)).toBe(false);
    await clock.advance(1);
    await waiting;
  });

  it('ends when it is broken off, also where that was before', async () => {
    const abort = new AbortController();
    const waiting = waitAtMost(new FakeClock(), 1000, never, abort.signal);
    abort.abort();
    await waiting;
    await waitAtMost(new FakeClock(), 1000, never, abort.signal);
  });

  it('tells what went wrong with it, and nobody of what does later', async () => {
    await expect(waitAtMost(new FakeClock(), 1000, Promise.reject(new Error('lost')))).rejects.toThrow(
      'lost',
    );
    const clock = new FakeClock();
    let fail = (_error: Error) => {};
    const failing = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const waiting = waitAtMost(clock, 1000, failing);
    await clock.advance(1000);
    fail(new Error('too late'));
    await waiting;
  });
});
