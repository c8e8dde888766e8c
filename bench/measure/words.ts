/** Words compared without case and punctuation. */
import { plain } from '../../test/support/speech.ts';

/** The words of a text, ready to be compared. */
export const wordsOf = (text: string): string[] => plain(text).split(' ').filter(Boolean);

/**
 * The distances (Levenshtein) from all of `from` to every beginning of `to`: entry `n` is the least number of
 * words to change, add or take away so that `from` becomes the first `n` words of `to`.
 */
function distances(from: readonly string[], to: readonly string[]): number[] {
  let row = Array.from({ length: to.length + 1 }, (_, n) => n);
  for (const [i, word] of from.entries()) {
    const next = [i + 1];
    for (const [n, other] of to.entries())
      next.push(Math.min(row[n]! + (word === other ? 0 : 1), row[n + 1]! + 1, next[n]! + 1));
    row = next;
  }
  return row;
}

/** How often two texts differ: the numerator and denominator of the word error rate. */
export interface WordErrors {
  readonly errors: number;
  readonly referenceWords: number;
}

export function wordErrors(heard: string, reference: string): WordErrors {
  const said = wordsOf(reference);
  return { errors: distances(wordsOf(heard), said).at(-1)!, referenceWords: said.length };
}

/** The errors of many texts, each weighing as many words as it has. */
export function pooled(texts: readonly WordErrors[]): WordErrors {
  const total = (field: keyof WordErrors) => texts.reduce((count, text) => count + text[field], 0);
  return { errors: total('errors'), referenceWords: total('referenceWords') };
}

/** Errors per word: the word error rate. */
export const rateOf = ({ errors, referenceWords }: WordErrors): number => errors / referenceWords;

/** How many words already shown had to change when `before` was followed by `after`. Words that follow are free. */
export const editsOf = (before: string, after: string): number =>
  Math.min(...distances(wordsOf(before), wordsOf(after)));
