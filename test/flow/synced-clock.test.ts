import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/flow/clock.ts';
import { SyncedClock } from '../../src/flow/synced-clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A machine whose clock can be set. */
class Machine implements Clock {
  wallMs = 1_000_000;
  monoMs = 50;
  pass(ms: number): void {
    this.wallMs += ms;
    this.monoMs += ms;
  }
  now = (): number => this.wallMs;
  monotonicMs = (): number => this.monoMs;
  after = (): (() => void) => () => {};
}

describe('a clock that many agree on', () => {
  it('says its machine’s time until it knows better', () => {
    const machine = new Machine();
    const clock = new SyncedClock(machine);
    machine.pass(250);
    expect(clock.now()).toBe(1_000_250);
  });

  it('is not moved by a clock that is set', () => {
    const machine = new Machine();
    const clock = new SyncedClock(machine);
    machine.wallMs += 3_600_000;
    machine.pass(10);
    expect(clock.now()).toBe(1_000_010);
  });

  it('takes over another’s time, as of the middle of the reading', async () => {
    const machine = new Machine();
    const clock = new SyncedClock(machine);
    const good = await clock.sync(async () => {
      machine.pass(100);
      return 5_000_000;
    });
    expect(good).toBe(true);
    expect(clock.now()).toBe(5_000_050);
    machine.pass(7);
    expect(clock.now()).toBe(5_000_057);
  });

  it('asks again and again, and goes on where nobody answers', async () => {
    const machine = new FakeClock();
    const clock = new SyncedClock(machine);
    const answers = [7_000_000, null, 9_000_000];
    const stop = clock.keepInSync(async () => {
      const answer = answers.shift();
      if (!answer) throw new Error('nobody answers');
      return answer;
    });
    await machine.advance(60_000);
    expect(clock.now()).toBe(7_000_000);
    await machine.advance(60_000);
    expect(clock.now()).toBe(7_060_000);
    await machine.advance(60_000);
    expect(clock.now()).toBe(9_000_000);
    stop();
    await machine.advance(60_000);
    expect(clock.now()).toBe(9_060_000);
  });

  it('passes over a reading that took too long', async () => {
    const machine = new Machine();
    const clock = new SyncedClock(machine);
    const slow = async () => {
      machine.pass(2_001);
      return 5_000_000;
    };
    expect(await clock.sync(slow)).toBe(false);
    expect(clock.now()).toBe(1_002_001);
  });
});
