/** The small parts of Deepgram's interface that stand by themselves. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { Patience } from '../../../src/http/deepgram/patience.ts';
import { closeOf } from '../../../src/http/deepgram/problem.ts';
import { alternativeOf, plain } from '../../../src/http/deepgram/transcript.ts';
import { uuidOf } from '../../../src/http/deepgram/uuid.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('text without punctuation', () => {
  it.each([
    ['He was not an ill-disposed, young man.', 'he was not an ill-disposed young man'],
    ['“It costs $3.50,” she said… twice!', 'it costs 3.50 she said twice'],
    ["O'clock; the boys' toys", "o'clock the boys toys"],
    ['안녕하세요, 여러분.', '안녕하세요 여러분'],
    ['今日は、いい天気です。', '今日はいい天気です'],
    ['नमस्ते, दुनिया!', 'नमस्ते दुनिया'],
    ['—', '—'],
  ])('%s', (text, expected) => {
    expect(plain(text)).toBe(expected);
  });
});

describe('words without times', () => {
  it('share the time there is by their letters', () => {
    const heard = { text: 'No, never!', startMs: 1000, endMs: 2000, confidence: null };
    expect(alternativeOf(heard, false)).toEqual({
      transcript: 'No, never!',
      confidence: 0,
      words: [
        { word: 'no', start: 1, end: 1.333, confidence: 0, punctuated_word: 'No,' },
        { word: 'never', start: 1.333, end: 2, confidence: 0, punctuated_word: 'never!' },
      ],
    });
  });

  it('are none of a text that is none', () => {
    const nothing = { text: '', startMs: 0, endMs: 10, confidence: 1 };
    expect(alternativeOf(nothing, true)).toEqual({ transcript: '', confidence: 1, words: [] });
  });
});

describe('patience', () => {
  it('ends after ten seconds without a word, counted from the last', async () => {
    const clock = new FakeClock();
    let lost = 0;
    const patience = new Patience(clock, 10_000, () => lost++);
    await clock.advance(60_000);
    patience.restart();
    await clock.advance(9999);
    patience.restart();
    await clock.advance(9999);
    expect(lost).toBe(0);
    await clock.advance(1);
    expect(lost).toBe(1);
  });

  it('does not run while it is stopped', async () => {
    const clock = new FakeClock();
    let lost = 0;
    const patience = new Patience(clock, 10_000, () => lost++);
    patience.restart();
    patience.stop();
    await clock.advance(60_000);
    expect(lost).toBe(0);
  });
});

describe('a close', () => {
  it.each([
    [new Failure('idle_timeout', 'Nothing came.'), 1011, 'NET-0001: Nothing came.'],
    [new Failure('audio_undecodable', 'Damaged.'), 1008, 'DATA-0000: Damaged.'],
    [new Failure('session_too_long', 'Long.'), 1008, 'SESSION_TOO_LONG: Long.'],
    [new Failure('overloaded', 'Full.'), 1013, 'OVERLOADED: Full.'],
    [new Failure('shutting_down', 'Later.'), 1012, 'SHUTTING_DOWN: Later.'],
    [new Failure('internal', 'Sorry.'), 1011, 'INTERNAL: Sorry.'],
  ])('%s', (failure, code, reason) => {
    expect(closeOf(failure)).toEqual({ code, reason });
  });

  it('has a reason that fits, with whole characters', () => {
    const { reason } = closeOf(new Failure('bad_message', '한'.repeat(100)));
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    expect(reason).toMatch(/^BAD_MESSAGE: 한+$/);
  });
});

describe('a UUID of a name', () => {
  it('is always the same, and another for another', () => {
    expect(uuidOf('a')).toBe(uuidOf('a'));
    expect(uuidOf('a')).not.toBe(uuidOf('b'));
    expect(uuidOf('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
