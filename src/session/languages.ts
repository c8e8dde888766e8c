/**
 * Which language a session is in: people seldom change it between one sentence and the next, and a lone "yes"
 * sounds much alike in many. Pure; one memory for each run of the pipeline.
 */
import { type Recognition, UNDETERMINED } from '../whisper/recognition.ts';

/** The languages of the last utterances that were surely heard, the newest last. */
export type LanguageMemory = readonly string[];

export const NO_LANGUAGES: LanguageMemory = [];

/** Two that agree are no accident; one more than that would be late to notice that somebody else speaks. */
const AGREEING = 2;
/** Shorter utterances, and those heard less surely, say little of their language. */
const TELLING_MS = 1_000;
const SURE = 0.6;

/** What the session knows after a final. What was withheld or hardly heard teaches nothing. */
export function remember(
  memory: LanguageMemory,
  heard: Pick<Recognition, 'text' | 'language' | 'confidence' | 'suppressed'>,
  durationMs: number,
): LanguageMemory {
  const { text, language, confidence, suppressed } = heard;
  if (text === '' || suppressed !== null || language === UNDETERMINED) return memory;
  if (durationMs < TELLING_MS || confidence === null || confidence < SURE) return memory;
  return [...memory, language].slice(-AGREEING);
}

/** The language to expect next; null where the last utterances do not agree, or there were too few. */
export function likelyLanguage(memory: LanguageMemory): string | null {
  const [first] = memory;
  return memory.length === AGREEING && memory.every((language) => language === first) ? first! : null;
}
