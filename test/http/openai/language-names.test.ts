import { expect, it } from 'vitest';
import { languageNameOf } from '../../../src/http/openai/language-names.ts';
import { LANGUAGES, languageCodeOf } from '../../../src/upstream/languages.ts';

it('names each language so that the name is read as its code again', () => {
  expect(LANGUAGES.filter((code) => languageCodeOf(languageNameOf(code)) !== code)).toEqual([]);
});

it.each([
  ['en', 'english'],
  ['ko-KR', 'korean'],
  ['my', 'myanmar'],
  ['nn', 'nynorsk'],
  ['yue', 'cantonese'],
  ['auto', 'unknown'],
  ['und', 'unknown'],
])('calls %s %s', (tag, name) => {
  expect(languageNameOf(tag)).toBe(name);
});
