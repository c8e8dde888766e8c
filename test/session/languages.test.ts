import { describe, expect, it } from 'vitest';
import { type LanguageMemory, likelyLanguage, NO_LANGUAGES, remember } from '../../src/session/languages.ts';
import { UNDETERMINED } from '../../src/whisper/recognition.ts';

const heard = (language: string) => ({ text: 'words', language, confidence: 0.9, suppressed: null });

describe('the language to expect', () => {
  const cases: [string, LanguageMemory, string | null][] = [
    ['is unknown at first', NO_LANGUAGES, null],
    ['is unknown after one utterance', ['ko'], null],
    ['is that of the last two', ['ko', 'ko'], 'ko'],
    ['is unknown where they differ', ['ko', 'en'], null],
  ];
  it.each(cases)('%s', (_name, memory, expected) => {
    expect(likelyLanguage(memory)).toBe(expected);
  });

  it('changes with whoever speaks on', () => {
    const spoken = ['ko', 'ko', 'ko', 'en', 'en'];
    const expected = [null, 'ko', 'ko', null, 'en'];
    let memory = NO_LANGUAGES;
    for (const [i, language] of spoken.entries()) {
      memory = remember(memory, heard(language), 2_000);
      expect(likelyLanguage(memory)).toBe(expected[i]);
    }
  });
});

describe('what teaches nothing', () => {
  it.each([
    ['an empty text', { text: '' }, 2_000],
    ['a withheld text', { suppressed: 'no_speech' as const }, 2_000],
    ['a text in no known language', { language: UNDETERMINED }, 2_000],
    ['a text hardly heard', { confidence: 0.5 }, 2_000],
    ['a text of unknown confidence', { confidence: null }, 2_000],
    ['a short text', {}, 900],
  ])('%s', (_name, different, durationMs) => {
    const memory = ['ko', 'ko'];
    expect(remember(memory, { ...heard('en'), ...different }, durationMs)).toBe(memory);
  });
});
