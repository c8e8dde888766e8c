/** What `npm run bench:long` counts. */
import { describe, expect, it } from 'vitest';
import { type Final, longErrors } from '../../bench/long/errors.ts';
import { memoryOf } from '../../bench/long/memory.ts';
import { parseOptions } from '../../bench/long/options.ts';
import { differences, near } from '../support/alignment.ts';

const final = (startMs: number, endMs: number, text: string): Final => ({
  type: 'transcript.final',
  sessionId: 'ses_1',
  seq: 1,
  at: '2026-01-01T00:00:00.000Z',
  utteranceId: 'utt_1',
  startMs,
  endMs,
  text,
  language: 'en',
  confidence: 0.9,
});

describe('errors in long speech', () => {
  it('are counted apart where the speech was cut', () => {
    const finals = [
      final(0, 5_000, 'one two three four five'),
      final(5_000, 9_000, 'five six seven eight nine'),
      final(9_500, 12_000, 'zen eleven'),
    ];
    expect(longErrors(finals, 'one two three four five six seven eight nine ten eleven')).toEqual({
      words: 11,
      wrong: 2,
      cuts: 1,
      changed: 0,
      added: 1,
      missing: 0,
    });
  });
});

describe('two rows of words', () => {
  const said = 'a b c d e f'.split(' ');

  it.each([
    ['a b c d e f', []],
    ['a b x d e f', [{ kind: 'changed', heard: 2 }]],
    ['a b c c d e f', [{ kind: 'added', heard: 3 }]],
    ['a b d e f', [{ kind: 'missing', heard: 2 }]],
  ])('are laid side by side: %s', (heard, expected) => {
    const found = differences(heard.split(' '), said);
    if (found[0]?.kind === 'added') expect([2, 3]).toContain(found[0].heard);
    else expect(found).toEqual(expected);
    expect(found).toHaveLength(expected.length);
  });

  it('are compared whole where either is empty', () => {
    expect(differences([], said)).toHaveLength(6);
    expect(differences(said, [])).toHaveLength(6);
  });

  it('tell what is near a cut', () => {
    const found = differences('a b d e f'.split(' '), said);
    expect(near(found, 3, 1)).toHaveLength(1);
    expect(near(found, 5, 1)).toHaveLength(0);
  });
});

describe('memory', () => {
  it('is compared between the second quarter and the last', () => {
    expect(memoryOf([100, 200, 300, 300, 300, 300, 340, 360])).toEqual({
      startMb: 100,
      earlyMb: 300,
      lateMb: 350,
      maxMb: 360,
    });
    expect(memoryOf([5])).toEqual({ startMb: 5, earlyMb: 5, lateMb: 5, maxMb: 5 });
  });
});

describe('the command line', () => {
  it('writes the document only where nothing was made shorter', () => {
    expect(parseOptions([])).toMatchObject({ recordingMs: 7_200_000, pauselessMs: 600_000, isShort: false });
    expect(parseOptions(['--minutes', '5'])).toMatchObject({ recordingMs: 300_000, isShort: true });
    expect(() => parseOptions(['--minutes', 'many'])).toThrow('whole number');
  });
});
