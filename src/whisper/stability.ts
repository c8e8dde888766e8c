/**
 * How much of a growing hypothesis may be called settled: LocalAgreement (Macháček, Dabre, Bojar 2023, "Turning
 * Whisper into Real-Time Transcription System") over the last {@link AGREEING} hypotheses, with the newest
 * words held back, since they change most. What is settled is forced as the decoder's prefix from then on, so
 * neither a later hypothesis nor the final can take it back.
 */

/**
 * Hypotheses that must agree before a word is settled: at one every half second, words that stood for two seconds.
 */
export const AGREEING = 5;

/** Words at the end that are never settled. */
const HELD_BACK = 2;

/**
 * A hypothesis as it is to be shown: without its newest word, unless the one before had it in the same place, or it
 * is the only one. Newest words change most; held back until then, 0.2 words are changed on the screen for each
 * word of the final instead of 0.6, and the first word comes no later.
 */
export function shownOf(hypothesis: string, before: Stability): string {
  const words = splitWords(hypothesis);
  const newest = words.findLastIndex((word) => /[\p{L}\p{N}]/u.test(word));
  if (newest < 1 || before.recent.at(-1)?.[newest] === words[newest]) return hypothesis;
  return words.slice(0, newest).join('');
}

/** What has been heard of one utterance so far. */
export interface Stability {
  /** The last few hypotheses, as words with the space that follows them. */
  readonly recent: readonly (readonly string[])[];
  /** Text that will not change any more. */
  readonly settled: string;
}

/** The start of an utterance. */
export const UNSETTLED: Stability = { recent: [], settled: '' };

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Splits text into words, each with what stands before it, in languages with and without spaces alike. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let before = '';
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    before += segment;
    if (isWordLike) {
      words.push(before);
      before = '';
    }
  }
  if (before !== '') words.push(before);
  return words;
}

function agreedPrefix(hypotheses: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = hypotheses;
  const end = first.findIndex((word, at) => others.some((other) => other[at] !== word));
  return first.slice(0, end < 0 ? first.length : end);
}

/** Takes in one more hypothesis, which begins with what was settled before. */
export function settle(before: Stability, hypothesis: string): Stability {
  const words = splitWords(hypothesis);
  const recent = [...before.recent, words].slice(-AGREEING);
  if (recent.length < AGREEING) return { recent, settled: before.settled };
  const agreed = agreedPrefix(recent)
    .slice(0, Math.max(0, words.length - HELD_BACK))
    .join('');
  return { recent, settled: agreed.length > before.settled.length ? agreed : before.settled };
}
