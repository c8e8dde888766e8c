/** Which language a sound is in, by what the decoder gives each language's token after `<|startoftranscript|>`. */
import { THRESHOLDS } from './guards.ts';
import { mostProbableOf } from './logits.ts';

/**
 * @param row The logits behind the start of the transcript.
 * @param languages Token ids by language code; at least one.
 * @param likely The language that was spoken until now, or null: any other has to be so many times as probable,
 * which a clear sentence is and a lone "yes" is not.
 * @returns The language, and how probable it is among all, 0–1.
 */
export function detectLanguage(
  row: Float32Array,
  languages: Readonly<Record<string, number>>,
  likely: string | null,
): { language: string; probability: number } {
  const expected = likely === null ? undefined : languages[likely];
  const weighed = expected === undefined ? row : row.slice();
  if (expected !== undefined) weighed[expected]! += Math.log(THRESHOLDS.languageStaysOdds);
  const { token, probability } = mostProbableOf(weighed, Object.values(languages));
  const language = Object.keys(languages).find((code) => languages[code] === token)!;
  return { language, probability };
}
