/**
 * Where an utterance begins and ends, as a pure state machine over frames of speech probability. It never sees
 * audio or time: everything is a position in the stream, so the same audio gives the same utterances however it
 * arrives.
 *
 *     silence ⇄ onset ──► speaking ⇄ trailing ──► silence
 *
 * A frame is loud from {@link ENTER} on and quiet below {@link EXIT}; between the two the state holds (hysteresis,
 * as in Silero's own iterator).
 */
import { type Samples, samples, toSamples } from '../domain/time.ts';
import { FRAME_SAMPLES } from './frame.ts';

export const ENTER = 0.5;
const EXIT = 0.35;
/** Loud frames in a row that make speech of a noise: 64 ms. A click is shorter, a syllable is not. */
const CONFIRM_FRAMES = 2;
/** Kept before the first loud frame: soft consonants come before the network is sure. */
export const PRE_ROLL = toSamples(224);
/** Kept after the last speech; recognition wants a little silence to stop on. A whole number of frames. */
const TAIL = samples(6 * FRAME_SAMPLES);
/**
 * What the network takes at least to let go of speech that has ended: its probability falls below {@link EXIT} 30 to
 * 170 ms after the sound of LibriVox readers does, 160 to 240 ms after that of telephone prompts. Silence counts from
 * so much before.
 */
const RELEASE = samples(3 * FRAME_SAMPLES);
/** A cut for length is made at the quietest place in so much speech … */
const CUT_WINDOW = toSamples(3_000);
/** … with so much after it: recognition hears the words around a cut from both sides. A whole number of frames. */
const CUT_MARGIN = samples(16 * FRAME_SAMPLES);
/** What goes on from a cut is heard with so much of what was said before it. */
const LEAD = toSamples(3_200);
/** The most that is ever heard at once, the lead and all: Whisper's window less 2 s. */
const MAX_HEARD = toSamples(28_000);

/**
 * Frames that may come together before anything is decided: each call of the network wakes a thread, which costs as
 * much as three frames. The first costs a beginning 32 ms, the others a pause up to 96 ms, but never an end.
 */
const PATIENCE = { silence: 2, speech: 4 };

/** All positions count from the stream's first sample. */
export type EndpointState =
  | {
      readonly kind: 'silence';
      /** Where the last utterance ended: the next may not begin before. */
      readonly floor: Samples;
    }
  | {
      readonly kind: 'onset';
      readonly floor: Samples;
      /** Where the first loud frame begins. */
      readonly since: Samples;
      readonly loudFrames: number;
    }
  | ({ readonly kind: 'speaking' } & Open)
  | ({
      readonly kind: 'trailing';
      /** Where the speech ended, if this silence lasts. */
      readonly silentSince: Samples;
    } & Open);

interface Open {
  readonly start: Samples;
  /** Where the audio begins that is heard for it: at `start`, or before it where it goes on from a cut. */
  readonly from: Samples;
  readonly lastProbability: number;
  /** The best place for a cut so far: between the two neighbouring frames that are quietest together. */
  readonly cut: { readonly at: Samples; readonly loudness: number } | null;
}

export type EndpointEvent =
  /** The next {@link FRAME_SAMPLES} samples, from `position` on. */
  | { readonly kind: 'frame'; readonly position: Samples; readonly probability: number }
  /** The client ends the utterance at `position`. */
  | { readonly kind: 'commit'; readonly position: Samples }
  /** The client drops what it said up to `position`: nothing of it is heard with what comes. */
  | { readonly kind: 'discard'; readonly position: Samples }
  /** There is no more audio after `position`. */
  | { readonly kind: 'end'; readonly position: Samples };

/**
 * `silence`: nobody spoke on. `length`: it got too long. `commit`: the client said so. `discard`: the client does not want
 * it. `end`: the audio ended.
 */
export type EndedBy = 'silence' | 'length' | 'commit' | 'discard' | 'end';

export type EndpointEffect =
  /** Somebody speaks, since `start`. */
  | { readonly kind: 'started'; readonly from: Samples; readonly start: Samples }
  /** The speaker pauses. If the pause lasts, the utterance will end with just these bounds. */
  | { readonly kind: 'pausing'; readonly from: Samples; readonly start: Samples; readonly end: Samples }
  | {
      readonly kind: 'ended';
      /** Where the audio begins that is heard for it, at `start` or before. */
      readonly from: Samples;
      readonly start: Samples;
      readonly end: Samples;
      /** Where that audio ends: after `end` where the speech was cut, and the next utterance goes on from `end`. */
      readonly to: Samples;
      readonly endedBy: EndedBy;
    };

/** {@link EndpointingOptions} in samples. */
export interface EndpointLimits {
  readonly silence: Samples;
  /** At least a second and a half. */
  readonly maxUtterance: Samples;
}

export type Step = readonly [EndpointState, readonly EndpointEffect[]];

/** Before the first sample. */
export const BEFORE_SPEECH: EndpointState = { kind: 'silence', floor: samples(0) };

/** The state after `event`, and what is to be told. */
export function step(state: EndpointState, event: EndpointEvent, limits: EndpointLimits): Step {
  switch (event.kind) {
    case 'frame':
      return onFrame(state, event.position, event.probability, limits);
    case 'commit':
    case 'end':
      return onClose(state, event.position, event.kind);
    case 'discard':
      return onDiscard(state, event.position);
  }
}

/** The earliest sample that an utterance, open or to come, may still be heard with. Never goes back. */
export function neededFrom(state: EndpointState, nextFrame: Samples): Samples {
  switch (state.kind) {
    case 'silence':
      return backdate(nextFrame, state.floor);
    case 'onset':
      return backdate(state.since, state.floor);
    case 'speaking':
    case 'trailing':
      return state.from;
  }
}

/**
 * How many frames may be heard together from here on, 1 or more. Where a pause is to be told of or an utterance ends
 * by silence, with the frame that does it the last one.
 */
export function framesAtOnce(state: EndpointState, nextFrame: Samples, { silence }: EndpointLimits): number {
  switch (state.kind) {
    case 'silence':
      return PATIENCE.silence;
    case 'onset':
      return 1;
    case 'speaking':
      return Math.max(1, Math.min(PATIENCE.speech, Math.floor((silence - RELEASE) / FRAME_SAMPLES / 3)));
    case 'trailing': {
      const silent = nextFrame - state.silentSince;
      const untilEnd = silence - RELEASE - silent;
      const untilPause = TAIL > silent ? TAIL - silent : untilEnd;
      return Math.max(
        1,
        Math.min(PATIENCE.speech, Math.ceil(Math.min(untilEnd, untilPause) / FRAME_SAMPLES)),
      );
    }
  }
}

const later = (a: number, b: number): Samples => samples(Math.max(a, b));
const earlier = (a: number, b: number): Samples => samples(Math.min(a, b));
const backdate = (position: Samples, floor: Samples): Samples => later(floor, position - PRE_ROLL);

function onFrame(state: EndpointState, position: Samples, probability: number, limits: EndpointLimits): Step {
  const loud = probability >= ENTER;
  switch (state.kind) {
    case 'silence':
      if (!loud) return [state, []];
      return [{ kind: 'onset', floor: state.floor, since: position, loudFrames: 1 }, []];
    case 'onset': {
      if (!loud) return [{ kind: 'silence', floor: state.floor }, []];
      const loudFrames = state.loudFrames + 1;
      if (loudFrames < CONFIRM_FRAMES) return [{ ...state, loudFrames }, []];
      const start = backdate(state.since, state.floor);
      return [
        { kind: 'speaking', start, from: start, lastProbability: probability, cut: null },
        [{ kind: 'started', from: start, start }],
      ];
    }
    case 'speaking': {
      const open = weigh(state, position, probability, limits);
      if (isFull(state, position, limits)) return cutShort(open, position);
      if (probability >= EXIT) return [{ kind: 'speaking', ...open }, []];
      return [{ kind: 'trailing', silentSince: position, ...open }, []];
    }
    case 'trailing':
      return onTrailing(state, position, probability, limits);
  }
}

function onTrailing(
  state: Extract<EndpointState, { kind: 'trailing' }>,
  position: Samples,
  probability: number,
  limits: EndpointLimits,
): Step {
  const open = weigh(state, position, probability, limits);
  const { silentSince } = state;
  const frameEnd = samples(position + FRAME_SAMPLES);
  const isSilent = probability < ENTER;
  if (isSilent && frameEnd - silentSince + RELEASE >= limits.silence)
    return close(open, tailed(silentSince, frameEnd), 'silence');
  if (isFull(state, position, limits)) {
    // A shorter silence may be a stop inside a word.
    const isPause = isSilent && frameEnd - silentSince >= TAIL;
    return isPause ? close(open, tailed(silentSince, frameEnd), 'length') : cutShort(open, position);
  }
  if (!isSilent) return [{ kind: 'speaking', ...open }, []];
  const { from, start } = open;
  const pausing = { kind: 'pausing', from, start, end: samples(silentSince + TAIL) } as const;
  return [{ kind: 'trailing', silentSince, ...open }, frameEnd === pausing.end ? [pausing] : []];
}

function onClose(state: EndpointState, position: Samples, endedBy: 'commit' | 'end'): Step {
  switch (state.kind) {
    case 'silence':
    case 'onset':
      return [state, []];
    case 'speaking':
      return close(state, position, endedBy);
    case 'trailing':
      return close(state, tailed(state.silentSince, position), endedBy);
  }
}

function onDiscard(state: EndpointState, position: Samples): Step {
  switch (state.kind) {
    case 'silence':
    case 'onset':
      return [{ kind: 'silence', floor: position }, []];
    case 'speaking':
    case 'trailing':
      return close(state, position, 'discard');
  }
}

const tailed = (silentSince: Samples, now: Samples): Samples => earlier(silentSince + TAIL, now);

function close({ from, start }: Open, end: Samples, endedBy: EndedBy): Step {
  return [{ kind: 'silence', floor: end }, [{ kind: 'ended', from, start, end, to: end, endedBy }]];
}

/** Where it must have been cut. */
const limitOf = ({ start, from }: Open, { maxUtterance }: EndpointLimits): Samples =>
  earlier(start + maxUtterance, from + MAX_HEARD);

/** Whether the next frame could carry the utterance over its limit. */
const isFull = (open: Open, position: Samples, limits: EndpointLimits): boolean =>
  position + 2 * FRAME_SAMPLES > limitOf(open, limits);

/** Remembers the quietest place in the last part of the longest utterance there may be. */
function weigh(open: Open, position: Samples, probability: number, limits: EndpointLimits): Open {
  const { start, from, lastProbability, cut } = open;
  const loudness = lastProbability + probability;
  // Half the limit at most, so that what is left over for the next utterance is never full already.
  const margin = Math.min(CUT_MARGIN, limits.maxUtterance / 8);
  const cutWindow = Math.min(CUT_WINDOW, limits.maxUtterance / 2 - margin);
  const last = limitOf(open, limits) - margin;
  const inWindow = position >= last - cutWindow && position <= last;
  const better = inWindow && (cut === null || loudness <= cut.loudness);
  return { start, from, lastProbability: probability, cut: better ? { at: position, loudness } : cut };
}

/**
 * Ends a too long utterance at its best place; what came after is the beginning of the next. Each is heard with
 * some of the other: a word at the cut is whole in both, and so can be given to one.
 */
function cutShort({ from, start, lastProbability, cut }: Open, position: Samples): Step {
  const at = cut?.at ?? position;
  const next = { from: later(start, at - LEAD), start: at };
  return [
    { kind: 'speaking', ...next, lastProbability, cut: null },
    [
      { kind: 'ended', from, start, end: at, to: samples(position + FRAME_SAMPLES), endedBy: 'length' },
      { kind: 'started', ...next },
    ],
  ];
}
