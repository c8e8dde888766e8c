/** What is kept of a transcript that is longer than a model's context: its newest part, from a place to begin at. */

export interface Fitted {
  /** The transcript, or {@link CUT_MARK} and its newest part. */
  readonly text: string;
  /** How many characters (UTF-16 units) of the beginning are not in `text`. */
  readonly droppedChars: number;
}

/** Tells the model that something came before. */
export const CUT_MARK = '[…] ';

/**
 * How much text is looked at for each token there is room for. Speech is 1 to 6 characters a token in every
 * tokenizer in use; the bound keeps the work independent of how long the transcript is.
 */
const MAX_CHARS_PER_TOKEN = 16;

/**
 * Fits a transcript into `budgetTokens`, cutting at its beginning: at the start of a sentence, or of a word where
 * that would throw away more than half of what fits. Boundaries are Unicode's (UAX #29), so unspaced languages
 * have them too.
 *
 * @param countTokens The tokens of a text; not less for more text.
 */
export function fitContext(
  transcript: string,
  budgetTokens: number,
  countTokens: (text: string) => number,
): Fitted {
  const longest = Math.max(0, budgetTokens) * MAX_CHARS_PER_TOKEN;
  if (transcript.length <= longest && countTokens(transcript) <= budgetTokens)
    return { text: transcript, droppedChars: 0 };

  const tail = transcript.slice(Math.max(0, transcript.length - longest));
  const fits = (start: number) => countTokens(CUT_MARK + tail.slice(start)) <= budgetTokens;
  const bySentence = tail.slice(firstThat(fits, startsOf(tail, 'sentence')) ?? tail.length);
  const byWord = tail.slice(firstThat(fits, startsOf(tail, 'word')) ?? tail.length);
  const kept = bySentence.length * 2 >= byWord.length ? bySentence : byWord;
  return { text: kept && CUT_MARK + kept, droppedChars: transcript.length - kept.length };
}

/** Where sentences or words begin; punctuation and space begin no word. */
function startsOf(text: string, granularity: 'sentence' | 'word'): number[] {
  const segments = new Intl.Segmenter(undefined, { granularity }).segment(text);
  return Array.from(segments)
    .filter(({ isWordLike }) => isWordLike !== false)
    .map(({ index }) => index);
}

/** The first of ascending `starts` from which on all hold, by bisection. */
function firstThat(holds: (start: number) => boolean, starts: readonly number[]): number | undefined {
  let low = 0;
  for (let high = starts.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (holds(starts[middle]!)) high = middle;
    else low = middle + 1;
  }
  return starts[low];
}
