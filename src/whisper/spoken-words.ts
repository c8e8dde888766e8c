/**
 * Tokens to words. A token is a piece of a word, a word with its space, or some bytes of a character; a word is
 * what stands between spaces or, where a script has none, what Unicode's rules take for one (UAX 29).
 * Punctuation belongs to the word it touches.
 */
import type { Word } from '../domain/event.ts';
import { UNSPACED_SCRIPTS } from './scripts.ts';

/** A token as it was spoken. */
export interface SpokenToken {
  /** The characters it completes; empty for the first bytes of one. */
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0–1. */
  readonly probability: number;
}

/**
 * The words of a text and when each was said. A word that shares a token with another gets the part of the
 * token's time that its characters make up. Times are whole, start ≤ end, and no word starts before another.
 */
export function spokenWords(tokens: readonly SpokenToken[]): Word[] {
  const pieces = piecesOf(tokens);
  const text = pieces.map((piece) => piece.text).join('');
  let first = 0;
  return wordSpans(text).map(([from, to]) => {
    while (pieces[first]!.to <= from) first++;
    let last = first;
    while (pieces[last]!.to < to) last++;
    const probabilities = pieces.slice(first, last + 1).flatMap((piece) => piece.probabilities);
    return {
      text: text.slice(from, to),
      startMs: Math.round(timeAt(pieces[first]!, from)),
      endMs: Math.round(timeAt(pieces[last]!, to)),
      confidence: probabilities.reduce((sum, probability) => sum + probability, 0) / probabilities.length,
    };
  });
}

/** Tokens that make whole characters together. */
interface Piece {
  readonly text: string;
  /** Where its first character that is no space stands in the text, and where the text after it begins. */
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly probabilities: readonly number[];
}

/** Joins tokens until they make something that can be seen: a syllable may be three of them, and a space one. */
function piecesOf(tokens: readonly SpokenToken[]): Piece[] {
  const pieces: Piece[] = [];
  let to = 0;
  let begun: SpokenToken[] = [];
  for (const token of tokens) {
    begun.push(token);
    const text = begun.map((part) => part.text).join('');
    if (text.trim() === '') continue;
    const from = to + text.length - text.trimStart().length;
    to += text.length;
    const probabilities = begun.map(({ probability }) => probability);
    pieces.push({ text, from, to, startMs: begun[0]!.startMs, endMs: token.endMs, probabilities });
    begun = [];
  }
  return pieces;
}

function timeAt({ from, to, startMs, endMs }: Piece, character: number): number {
  const share = Math.max(0, character - from) / (to - from);
  return startMs + share * (endMs - startMs);
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

type Span = [from: number, to: number];

/** Where each word begins and ends. */
export function wordSpans(text: string): Span[] {
  const spans: Span[] = [];
  /** Where an opening mark begins that belongs to the next word. */
  let opening: number | null = null;
  for (const { from, segment, isWord } of segments(text)) {
    const to = from + segment.length;
    const last = spans.at(-1);
    if (isWord) {
      spans.push([opening ?? from, to]);
      opening = null;
    } else if (last && opening === null && !OPENING.test(segment)) last[1] = to;
    else opening ??= from;
  }
  // Marks at the end have no next word.
  const last = spans.at(-1);
  if (last && opening !== null) last[1] = text.trimEnd().length;
  return spans;
}

const OPENING = /^[\p{Ps}\p{Pi}]/u;
const VISIBLE = /[\p{L}\p{N}]/u;

interface Segment {
  readonly from: number;
  readonly segment: string;
  readonly isWord: boolean;
}

/** Runs between spaces, cut once more where they are written without. */
function* segments(text: string): Generator<Segment> {
  for (const { 0: run, index } of text.matchAll(/\S+/g)) {
    if (!UNSPACED_SCRIPTS.test(run)) yield { from: index, segment: run, isWord: VISIBLE.test(run) };
    else
      for (const { segment, index: at } of segmenter.segment(run))
        yield { from: index + at, segment, isWord: VISIBLE.test(segment) };
  }
}
