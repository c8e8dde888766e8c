import { describe, expect, it } from 'vitest';
import { THRESHOLDS } from '../../src/whisper/guards.ts';
import { detectLanguage } from '../../src/whisper/language.ts';

const LANGUAGES = { en: 1, ko: 2, ja: 3 };
/** Logits of the languages' tokens between others that are no language. */
const row = (en: number, ko: number, ja: number) =>
  Float32Array.of(99, Math.log(en), Math.log(ko), Math.log(ja), 99);

describe('the language of a sound', () => {
  const odds = THRESHOLDS.languageStaysOdds;
  it.each([
    ['is the most probable one', row(1, 7, 2), null, 'ko', 0.7],
    ['stays what it was where the sound does not say', row(1, 7, 2), 'en', 'en', odds / (odds + 9)],
    ['is surer where it is what it was', row(1, 7, 2), 'ko', 'ko', (7 * odds) / (7 * odds + 3)],
    ['changes where the sound says so clearly', row(1, 2 * odds, 2), 'en', 'ko', (2 * odds) / (3 * odds + 2)],
    ['does not care for one the model does not know', row(1, 7, 2), 'tlh', 'ko', 0.7],
  ])('%s', (_name, logits, likely, language, probability) => {
    const before = logits.slice();
    const detected = detectLanguage(logits, LANGUAGES, likely);
    expect(detected.language).toBe(language);
    expect(detected.probability).toBeCloseTo(probability, 5);
    expect(logits).toEqual(before);
  });
});
