import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../bench/soak/options.ts';
import { goalsOf } from '../../bench/soak/report.ts';

describe('an hour of speakers', () => {
  it('is made of sessions of five minutes', () => {
    expect(parseOptions([])).toMatchObject({ rounds: Array(12).fill(300_000), speakers: 8, isShort: false });
    expect(parseOptions(['--minutes', '7'])).toMatchObject({ rounds: [300_000, 120_000], isShort: true });
    expect(() => parseOptions(['--speakers', '0'])).toThrow('--speakers: 0 is not a whole number');
  });

  it.each([
    [{ startMb: 900, earlyMb: 1_000, lateMb: 1_040, maxMb: 1_100 }, [true, true]],
    [{ startMb: 900, earlyMb: 1_000, lateMb: 1_060, maxMb: 1_201 }, [false, false]],
    [{ startMb: 900, earlyMb: 1_000, lateMb: 900, maxMb: 1_000 }, [true, true]],
  ])('reaches its goals with %j: %j', (memory, reached) => {
    const goals = goalsOf({ speakers: 8, rounds: [], memory });
    expect(goals.map((goal) => goal.reached)).toEqual(reached);
  });
});
