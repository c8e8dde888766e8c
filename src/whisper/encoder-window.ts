/**
 * What the encoder is to compute for a stretch of audio, and what it may take from earlier passes over the beginning
 * of the same audio. States of positions that have heard a second of what came after them hardly change any more, so
 * a growing utterance is not encoded from its start each time: only its last second, what is new, and nothing of
 * the silence after it. Words differ from those of an encoder that starts anew in 2 % with the real positions
 * reused, in 6 % with the silent ones as well; a tail of half the length changes 9 %.
 */
import { layout } from './graph/weighted-tail.ts';

/**
 * How much silence after the audio is encoded position by position. It draws the decoder's attention, which then counts
 * as too new: with 0.3 s, 113 of 414 hypotheses of LibriVox clips and telephone prompts showed nothing and 0.25 words
 * were changed for each word of the finals; with 0.1 s it was 4, and 0.10.
 */
const SILENT_SECONDS = { quick: 0.1, thorough: 0.5 };
/**
 * How many silent positions one stands for after that: with both, int8 base makes no more errors than with all
 * 30 s of context.
 */
const STRIDE = 20;
/** How long ago a position must have been spoken for its state to be taken as it is. */
const REDONE_SECONDS = { quick: 1, thorough: 2 };

export const POSITIONS_PER_SECOND = 50;
const FRAMES_PER_POSITION = 2;
/** Positions before the first encoded one that the two convolutions, three frames wide each, need to see. */
const CONVOLUTION_LEAD = 2;

/** `quick` is for hypotheses, which the next one replaces; `thorough` for what stays. */
export type Effort = 'quick' | 'thorough';

/** What is known of an utterance from earlier passes. */
export interface Known {
  /** States of so many positions from its start. */
  readonly positions: number;
  /**
   * Where the silent runs begin whose states are known, in positions, ascending, {@link STRIDE} apart; empty for none.
   */
  readonly runs: readonly number[];
}

export const NOTHING_KNOWN: Known = { positions: 0, runs: [] };

/** One pass of the encoder. Keys and queries: those known come first, silent runs before real positions. */
export interface EncoderWindow {
  /** How many of the known silent runs are used: the last so many. */
  readonly knownRuns: number;
  /** How many of the known positions are used, from the first. */
  readonly knownPositions: number;
  /** Position embeddings of what is encoded: real positions, then silent runs. */
  readonly positions: BigInt64Array;
  /** Of what is known and then of what is encoded. */
  readonly keyBias: Float32Array;
  /** How many of the first positions encoded are real. */
  readonly freshPositions: number;
  /** Where the silent runs encoded begin, in positions. */
  readonly freshRuns: readonly number[];
  /** Positions before the first encoded one whose frames are given, too, and dropped after the convolutions. */
  readonly lead: number;
}

/** How many positions from the start need not be encoded again after a pass over `seconds`. */
export const settledPositions = (seconds: number, effort: Effort): number =>
  Math.max(0, Math.floor((seconds - REDONE_SECONDS[effort]) * POSITIONS_PER_SECOND));

/** The frames that a pass looks at: those of what it encodes, and of what leads to it. */
export const framesOf = ({
  knownPositions,
  positions,
  lead,
}: EncoderWindow): { from: number; to: number } => ({
  from: FRAMES_PER_POSITION * (knownPositions - lead),
  to: FRAMES_PER_POSITION * (knownPositions + positions.length),
});

/**
 * Lays out a pass over `seconds` of audio.
 * @param known What earlier passes over the beginning of the same audio left.
 * @param total Positions of the trained window.
 */
export function encoderWindow(seconds: number, effort: Effort, known: Known, total: number): EncoderWindow {
  const wanted = Math.ceil((seconds + SILENT_SECONDS[effort]) * POSITIONS_PER_SECOND);
  // Less than a run is left behind the last multiple of the stride: it is encoded as it is.
  const real = wanted > total - STRIDE ? total : wanted;
  const knownPositions = Math.min(known.positions, settledPositions(seconds, effort));
  const fresh = Array.from({ length: real - knownPositions }, (_, i) => BigInt(knownPositions + i));
  const common = {
    knownPositions,
    freshPositions: fresh.length,
    lead: Math.min(CONVOLUTION_LEAD, knownPositions),
  };
  if (effort === 'thorough') {
    const tail = layout(real, STRIDE, total);
    return {
      ...common,
      knownRuns: 0,
      freshRuns: [],
      positions: BigInt64Array.from([...fresh, ...tail.positions.subarray(real)]),
      keyBias: tail.keyBias,
    };
  }
  const { starts, weights } = silentRuns(real, total);
  const bias = weights.map(Math.log);
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  if (known.runs.length > 0) {
    return {
      ...common,
      knownRuns: starts.length,
      freshRuns: [],
      positions: BigInt64Array.from(fresh),
      keyBias: Float32Array.from([...bias, ...zeros(real)]),
    };
  }
  return {
    ...common,
    knownRuns: 0,
    freshRuns: starts,
    positions: BigInt64Array.from([...fresh, ...starts.map((start) => BigInt(middleOf(start, total)))]),
    keyBias: Float32Array.from([...zeros(real), ...bias]),
  };
}

/**
 * Silent runs behind `real` positions, at multiples of the stride, so that they stay where they are while the speech
 * before them grows; the first also stands for what lies between it and the speech.
 */
function silentRuns(real: number, total: number): { starts: number[]; weights: number[] } {
  const starts: number[] = [];
  for (let start = Math.ceil(real / STRIDE) * STRIDE; start < total; start += STRIDE) starts.push(start);
  const weights = starts.map((start, i) => Math.min(total, start + STRIDE) - (i === 0 ? real : start));
  return { starts, weights };
}

const middleOf = (start: number, total: number): number =>
  start + ((Math.min(STRIDE, total - start) - 1) >> 1);
