/** When sessions are looked for whose node is gone, and when not. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { startHousekeeping } from '../../src/jobs/housekeeping.ts';
import { FakeClock } from '../support/fake-clock.ts';

const AWAY = new Failure('storage_unavailable', 'The database cannot be reached.');

/** Everything it calls, noted by seconds since its start. */
function start(kind: 'postgres' | 'embedded', retentionHours = 0) {
  const clock = new FakeClock();
  const startedMs = clock.monotonicMs();
  const noted: string[] = [];
  const note = (what: string) => noted.push(`${(clock.monotonicMs() - startedMs) / 1000} ${what}`);
  const state = { away: false, sweepFails: false };
  const stop = startHousekeeping({
    store: {
      kind,
      ping: async () => {
        if (state.away) throw AWAY;
      },
      sessions: {
        deleteEndedBefore: async (beforeMs) => {
          note(`erase older than ${(clock.now() - beforeMs) / 3_600_000} h`);
          return 0;
        },
      },
    },
    directory: {
      sweep: async () => {
        if (state.sweepFails) throw AWAY;
        note('live');
      },
    },
    recordings: { sweep: async () => void note('recordings') },
    clock,
    resumeWindowMs: 60_000,
    retentionHours,
    onError: () => note('failed'),
  });
  /** What was done in the next so many seconds. */
  const pass = async (seconds: number) => {
    noted.length = 0;
    await clock.advance(1000 * seconds);
    return [...noted];
  };
  return { state, pass, stop };
}

describe('housekeeping', () => {
  it('looks for abandoned sessions at once where the database is its own', async () => {
    const { pass, stop } = start('embedded');
    expect(await pass(10)).toEqual(['0 live', '0 recordings', '10 live', '10 recordings']);
    stop();
    expect(await pass(60)).toEqual([]);
  });

  it('gives the other nodes 20 s to renew their claims when it starts, and clients their window', async () => {
    const { pass, stop } = start('postgres', 2);
    expect(await pass(19)).toEqual(['0 erase older than 2 h', '10 erase older than 2 h']);
    expect(await pass(1)).toEqual(['20 recordings', '20 erase older than 2 h']);
    await pass(39);
    expect(await pass(1)).toEqual(['60 live', '60 recordings', '60 erase older than 2 h']);
    stop();
  });

  it('gives everybody 30 s after the database was away, and clients their window', async () => {
    const { state, pass, stop } = start('postgres');
    expect(await pass(20)).toEqual(['20 recordings']);
    state.away = true;
    expect(await pass(20)).toEqual(['30 failed', '40 failed']);
    state.away = false;
    expect(await pass(29)).toEqual([]);
    expect(await pass(1)).toEqual(['70 recordings']);
    expect(await pass(29)).toEqual(['80 recordings', '90 recordings']);
    expect(await pass(1)).toEqual(['100 live', '100 recordings']);
    stop();
  });

  it('notices where the database goes away before it would have looked', async () => {
    const { state, pass, stop } = start('postgres');
    state.away = true;
    expect(await pass(10)).toEqual(['10 failed']);
    state.away = false;
    expect(await pass(30)).toEqual(['40 recordings']);
    stop();
  });

  it('takes a search that broke off for an outage', async () => {
    const { state, pass, stop } = start('embedded');
    state.sweepFails = true;
    expect(await pass(29)).toEqual(['0 failed']);
    state.sweepFails = false;
    expect(await pass(1)).toEqual(['30 recordings']);
    stop();
  });
});
