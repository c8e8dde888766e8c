import { EarshotError } from '../../src/client/error.ts';
import { MicrophoneError } from '../../src/client/microphone.ts';
import type { Advice, ExplainedCode, Words } from './words.ts';

const isExplained = (code: string, words: Words): code is ExplainedCode => Object.hasOwn(words.errors, code);

/** What to tell of an error, and what can be done about it. */
export function adviceOf(error: unknown, words: Words): Advice {
  if (error instanceof MicrophoneError) return words.microphone[error.problem];
  if (error instanceof EarshotError && isExplained(error.code, words)) return words.errors[error.code];
  return words.otherError(error instanceof Error ? error.message : String(error));
}
