import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../src/flow/chance.ts';
import {
  DELAYS_MS,
  DISABLE_AFTER_MS,
  isToBeDisabled,
  MAX_ATTEMPTS,
  type Next,
  nextAttempt,
  type Outcome,
  parseRetryAfter,
} from '../../src/webhooks/schedule.ts';
import { FakeClock } from '../support/fake-clock.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
const middle = () => 0.5;
const failed: Outcome = { status: 500, retryAfterMs: null };

describe('the schedule', () => {
  const TABLE: [number, number][] = [
    [1, 5 * SECOND],
    [2, 5 * MINUTE],
    [3, 30 * MINUTE],
    [4, 2 * HOUR],
    [5, 5 * HOUR],
    [6, 10 * HOUR],
    [7, 14 * HOUR],
    [8, 20 * HOUR],
    [9, 24 * HOUR],
  ];
  it.each(TABLE)('waits after failure %i for %i ms, a fifth more or less', (made, delayMs) => {
    expect(nextAttempt(made, failed, middle)).toEqual({ kind: 'retry', delayMs });
    expect(nextAttempt(made, failed, () => 0)).toEqual({ kind: 'retry', delayMs: delayMs * 0.8 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (chance) => {
        const next = nextAttempt(made, failed, () => chance) as Extract<Next, { kind: 'retry' }>;
        expect(next.delayMs).toBeGreaterThanOrEqual(delayMs * 0.8);
        expect(next.delayMs).toBeLessThanOrEqual(delayMs * 1.2);
      }),
    );
  });

  it('makes exactly ten attempts, the first at once, where none succeeds', async () => {
    const clock = new FakeClock();
    const random = seeded(7);
    const atMs: number[] = [];
    const ends: Next[] = [];
    const attempt = () => {
      atMs.push(clock.monotonicMs());
      const next = nextAttempt(atMs.length, failed, random);
      if (next.kind === 'retry') clock.after(next.delayMs, attempt);
      else ends.push(next);
    };
    clock.after(DELAYS_MS[0], attempt);
    await clock.advance(30 * DAY);
    expect(atMs).toHaveLength(MAX_ATTEMPTS);
    expect(MAX_ATTEMPTS).toBe(10);
    expect(ends).toEqual([{ kind: 'given_up' }]);
    expect(atMs[0]).toBe(0);
    for (const [made, delayMs] of TABLE)
      expect(Math.abs(atMs[made]! - atMs[made - 1]! - delayMs)).toBeLessThanOrEqual(0.2 * delayMs);
    // Drawn anew for every wait, and not all to one side.
    const shares = TABLE.map(([made, delayMs]) => (atMs[made]! - atMs[made - 1]!) / delayMs);
    expect(Math.min(...shares)).toBeLessThan(1);
    expect(Math.max(...shares)).toBeGreaterThan(1);
  });
});

describe('what follows an attempt', () => {
  const retry = (delayMs: number): Next => ({ kind: 'retry', delayMs });
  const ROWS: [string, number, Outcome, Next][] = [
    ['200', 1, { status: 200, retryAfterMs: null }, { kind: 'sent' }],
    ['204', 10, { status: 204, retryAfterMs: null }, { kind: 'sent' }],
    ['299', 1, { status: 299, retryAfterMs: null }, { kind: 'sent' }],
    ['199', 1, { status: 199, retryAfterMs: null }, retry(5000)],
    ['300', 1, { status: 300, retryAfterMs: null }, retry(5000)],
    ['302', 1, { status: 302, retryAfterMs: null }, retry(5000)],
    ['404', 1, { status: 404, retryAfterMs: null }, retry(5000)],
    ['no status', 1, { status: null, retryAfterMs: null }, retry(5000)],
    ['no status, the tenth time', 10, { status: null, retryAfterMs: null }, { kind: 'given_up' }],
    ['410', 1, { status: 410, retryAfterMs: null }, { kind: 'disable' }],
    ['410, the tenth time', 10, { status: 410, retryAfterMs: null }, { kind: 'disable' }],
    ['429 that asks for a minute', 1, { status: 429, retryAfterMs: MINUTE }, retry(MINUTE)],
    ['503 that asks for a minute', 1, { status: 503, retryAfterMs: MINUTE }, retry(MINUTE)],
    ['503 that asks for less than is planned', 4, { status: 503, retryAfterMs: MINUTE }, retry(2 * HOUR)],
    ['429 that asks for a year', 1, { status: 429, retryAfterMs: 365 * DAY }, retry(DAY)],
    ['429 that asks for nothing', 1, { status: 429, retryAfterMs: null }, retry(5000)],
    ['429, the tenth time', 10, { status: 429, retryAfterMs: MINUTE }, { kind: 'given_up' }],
    ['500 that asks for a minute', 1, { status: 500, retryAfterMs: MINUTE }, retry(5000)],
  ];
  it.each(ROWS)('%s', (_what, made, outcome, next) => {
    expect(nextAttempt(made, outcome, middle)).toEqual(next);
  });

  it('lets nobody be disabled before five days of failure', () => {
    expect(DISABLE_AFTER_MS).toBe(5 * DAY);
    expect(isToBeDisabled(null, 1e15)).toBe(false);
    expect(isToBeDisabled(1000, 1000 + 5 * DAY - 1)).toBe(false);
    expect(isToBeDisabled(1000, 1000 + 5 * DAY)).toBe(true);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.UTC(2025, 0, 1, 12);
  const ROWS: [string, string | undefined, number | null][] = [
    ['seconds', '120', 2 * MINUTE],
    ['none', '0', 0],
    ['seconds with space around them', ' 7 ', 7000],
    ['more than a day', '86401', DAY],
    ['more than numbers hold', '9'.repeat(400), DAY],
    ['an instant', 'Wed, 01 Jan 2025 12:01:30 GMT', 90 * SECOND],
    ['an instant that has passed', 'Wed, 01 Jan 2025 11:00:00 GMT', 0],
    ['an instant far away', 'Fri, 01 Jan 2100 00:00:00 GMT', DAY],
    ['no header', undefined, null],
    ['nothing', '', null],
    ['a fraction', '1.5', null],
    ['less than nothing', '-5', null],
    ['words', 'later', null],
    ['words that end well', 'in the morning, GMT', null],
  ];
  it.each(ROWS)('reads %s', (_what, header, ms) => {
    expect(parseRetryAfter(header, nowMs)).toBe(ms);
  });
});
