/** Our text and words as Deepgram's alternatives. */
import type { Word as OurWord } from '../../domain/event.ts';
import { wordSpans } from '../../whisper/spoken-words.ts';
import type { Alternative, Word } from './messages.ts';

/**
 * What is no letter and no digit, but for marks that stand between two: `ill-disposed`, `3.5`, `o'clock`. The wide marks
 * of Chinese and Japanese stand between letters as others do before a space.
 */
const PUNCTUATION =
  /(?<![\p{L}\p{M}\p{N}])[^\p{L}\p{M}\p{N}\s]+|[^\p{L}\p{M}\p{N}\s]+(?![\p{L}\p{M}\p{N}])|[\u3001-\u303f\uff01-\uff0f\uff1a-\uff20\uff5b-\uff65]+/gu;

/** Small letters without punctuation. What is nothing else stays. */
export function plain(text: string): string {
  const bare = text.toLowerCase().replace(PUNCTUATION, '').replace(/\s+/g, ' ').trim();
  return bare === '' ? text : bare;
}

/** A text with the stretch of audio it was heard in. */
export interface HeardText {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence: number | null;
  /** Left out where the recogniser told the text alone. */
  readonly words?: readonly OurWord[];
}

/** @param isPlain Whether punctuation is left out. */
export function alternativeOf(heard: HeardText, isPlain: boolean): Alternative {
  return {
    transcript: isPlain ? plain(heard.text) : heard.text,
    confidence: heard.confidence ?? 0,
    words: wordsOf(heard, isPlain),
  };
}

export function wordsOf(heard: HeardText, isPlain: boolean): Word[] {
  return (heard.words ?? spread(heard)).map(({ text, startMs, endMs, confidence }) => ({
    word: plain(text),
    start: startMs / 1000,
    end: endMs / 1000,
    confidence: confidence ?? 0,
    ...(!isPlain && { punctuated_word: text }),
  }));
}

/** Words of which nobody knows when they were said: each gets as much of the time as it has of the letters. */
export function spread({ text, startMs, endMs, confidence }: HeardText): OurWord[] {
  const spans = wordSpans(text);
  const letters = spans.reduce((sum, [from, to]) => sum + to - from, 0);
  let before = 0;
  const at = (count: number): number => Math.round(startMs + ((endMs - startMs) * count) / letters);
  return spans.map(([from, to]) => {
    const word = {
      text: text.slice(from, to),
      startMs: at(before),
      endMs: at(before + to - from),
      confidence,
    };
    before += to - from;
    return word;
  });
}
