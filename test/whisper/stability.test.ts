import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AGREEING,
  type Stability,
  settle,
  shownOf,
  splitWords,
  UNSETTLED,
} from '../../src/whisper/stability.ts';

const hear = (before: Stability, text: string): Stability => settle(before, text, 0.9);
const after = (...hypotheses: string[]): string => hypotheses.reduce(hear, UNSETTLED).settled;
const times = (count: number, text: string): string[] => Array<string>(count).fill(text);

describe('what is settled', () => {
  it('is nothing before enough hypotheses agree', () => {
    expect(after(...times(AGREEING - 1, 'one two three four'))).toBe('');
    expect(after(...times(AGREEING, 'one two three four'))).toBe('one two');
  });

  it('is what they all agree on, without the two newest words', () => {
    const growing = [
      ...times(AGREEING - 2, 'one two three'),
      'one two three four',
      'one two three four five',
    ];
    expect(after(...growing)).toBe('one two three');
    expect(after(...times(AGREEING - 2, 'one two'), 'one too three', 'one two three four')).toBe('one');
  });

  it('is nothing that a hypothesis less than sure was among', () => {
    const text = 'one two three four';
    const unsure = settle(times(AGREEING - 1, text).reduce(hear, UNSETTLED), text, 0.6);
    expect(unsure.settled).toBe('');
    expect(times(AGREEING - 1, text).reduce(hear, unsure).settled).toBe('');
    expect(times(AGREEING, text).reduce(hear, unsure).settled).toBe('one two');
    const nobodyKnows = times(AGREEING, text).reduce((state, one) => settle(state, one, null), UNSETTLED);
    expect(nobodyKnows.settled).toBe('one two');
  });

  it('counts words where the script has no spaces', () => {
    expect(splitWords('今日は天気がいい').length).toBeGreaterThan(2);
    expect(after(...times(AGREEING - 1, '오늘은 날씨가'), '오늘은 날씨가 아주 좋네요')).toBe('오늘은 날씨가');
  });

  it('is never taken back', () => {
    const word = fc.constantFrom('a', 'b', 'c', '네', '。');
    const hypothesis = fc.array(word, { maxLength: 8 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.array(hypothesis, { maxLength: 12 }), (hypotheses) => {
        let state = UNSETTLED;
        for (const text of hypotheses) {
          // The decoder is given what is settled as its prefix, so each hypothesis begins with it.
          const next = hear(state, state.settled + text);
          expect(next.settled.startsWith(state.settled)).toBe(true);
          state = next;
        }
      }),
    );
  });

  it('splits text into pieces that make it up again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(splitWords(text).join('')).toBe(text);
      }),
    );
  });
});

describe('what is shown', () => {
  const shown = (...hypotheses: string[]): string =>
    shownOf(hypotheses.at(-1)!, hypotheses.slice(0, -1).reduce(hear, UNSETTLED));

  it.each([
    ['the only word', ['one'], 'one'],
    ['all but the newest word', ['one two three'], 'one two'],
    ['the newest word once it was there before', ['one two three', 'one two three'], 'one two three'],
    ['neither a newest word that moved', ['one two', 'one and two'], 'one and'],
    ['nor one that changed', ['one two', 'one too'], 'one'],
    ['no mark behind a word held back', ['one two', 'one two three.'], 'one two'],
    ['the mark behind a word that stays', ['one two', 'one two.'], 'one two.'],
    ['words without spaces', ['오늘은 날씨가', '오늘은 날씨가 좋네요'], '오늘은 날씨가'],
    ['nothing of nothing', [''], ''],
  ])('is %s', (_, hypotheses, text) => {
    expect(shown(...hypotheses)).toBe(text);
  });

  it('always holds what is settled', () => {
    const word = fc.constantFrom('a', 'b', '네', '。', 'c.');
    const hypothesis = fc.array(word, { maxLength: 6 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.array(hypothesis, { maxLength: 12 }), (hypotheses) => {
        let state = UNSETTLED;
        for (const text of hypotheses) {
          const whole = state.settled + text;
          const next = hear(state, whole);
          expect(shownOf(whole, state).startsWith(next.settled)).toBe(true);
          state = next;
        }
      }),
    );
  });
});
