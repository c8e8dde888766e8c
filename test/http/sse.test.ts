/** A stream of server-sent events as its reader sees it, and one that does not read. */
import { describe, expect, it } from 'vitest';
import { type SseEvent, sseResponse } from '../../src/http/sse.ts';
import { FakeClock } from '../support/fake-clock.ts';

const event = (n: number): SseEvent => ({ event: 'transcript.final', data: { n }, id: String(n) });

/** A stream of as many events as are asked for, `quietMs` apart. */
function start(clock: FakeClock, quietMs = 0) {
  const state = { asked: 0, left: false, isOver: false };
  const response = sseResponse(async function* (signal) {
    signal.addEventListener('abort', () => {
      state.left = true;
    });
    try {
      for (let n = 1; !signal.aborted; n++) {
        if (quietMs > 0) await new Promise<void>((resolve) => clock.after(quietMs, resolve));
        state.asked = n;
        yield event(n);
      }
    } finally {
      state.isOver = true;
    }
  }, clock);
  const reader = response.body!.getReader();
  const read = async () => {
    const { value, done } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { state, reader, read };
}

describe('a reader of server-sent events', () => {
  it('is asked for nothing before it has taken the last', async () => {
    const clock = new FakeClock();
    const { state, read, reader } = start(clock);
    expect(await read()).toBe('retry: 2000\n\n');
    expect(await read()).toBe('id: 1\nevent: transcript.final\ndata: {"n":1}\n\n');
    await clock.advance(1000);
    // The one that waits in the stream, and none after it.
    expect(state.asked).toBe(2);
    await reader.cancel();
    expect(state).toEqual({ asked: 2, left: true, isOver: true });
    expect(clock.waiting).toBe(0);
  });

  it('is let go after 10 s in which it took nothing', async () => {
    const clock = new FakeClock();
    const { state, read } = start(clock);
    await read();
    await clock.advance(9_999);
    expect(state).toEqual({ asked: 1, left: false, isOver: false });
    await clock.advance(1);
    expect(state).toEqual({ asked: 1, left: true, isOver: true });
    await expect(read()).rejects.toThrow('took nothing for 10 s');
    expect(clock.waiting).toBe(0);
  });

  it('is let go also where it never took anything', async () => {
    const clock = new FakeClock();
    const { state } = start(clock);
    await clock.advance(10_000);
    expect(state).toMatchObject({ left: true, isOver: true });
  });

  it('may take its time over each', async () => {
    const clock = new FakeClock();
    const { state, read, reader } = start(clock);
    await read();
    for (let n = 1; n <= 20; n++) {
      await clock.advance(9_000);
      expect(await read()).toContain(`id: ${n}\n`);
    }
    expect(state.left).toBe(false);
    await reader.cancel();
  });

  it('may wait as long as there is nothing for it, and hears a comment every 15 s', async () => {
    const clock = new FakeClock();
    const { read, reader } = start(clock, 40_000);
    await read();
    const heard: (string | null)[] = [];
    const reading = (async () => {
      while (heard.length < 3) heard.push(await read());
    })();
    await clock.advance(40_000);
    await reading;
    expect(heard).toEqual([': still here\n\n', ': still here\n\n', expect.stringContaining('id: 1\n')]);
    await reader.cancel();
  });
});
