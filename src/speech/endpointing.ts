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

const ENTER = 0.5;
const EXIT = 0.35;
/** Loud frames in a row that make speech of a noise: 64 ms. A click is shorter, a syllable is not. */
const CONFIRM_FRAMES = 2;
/** Kept before the first loud frame: soft consonants come before the network is sure. */
const PRE_ROLL = toSamples(224);
/** Kept after the last speech; recognition wants a little silence to stop on. A whole number of frames. */
const TAIL = samples(6 * FRAME_SAMPLES);
/**
 * What the network takes at least to let go of speech that has ended: its probability falls below {@link EXIT} 30 to
 * 170 ms after the sound of LibriVox readers does, 160 to 240 ms after that of telephone prompts. Silence counts from
 * so much before.
 */
const RELEASE = samples(3 * FRAME_SAMPLES);
/** A cut for length is made at the quietest place in so much speech before it. */
const CUT_WINDOW = toSamples(3_000);

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
  readonly lastProbability: number;
  /** The best place for a cut so far: between the two neighbouring frames that are quietest together. */
  readonly cut: { readonly at: Samples; readonly loudness: number } | null;
}

export type EndpointEvent =
  /** The next {@link FRAME_SAMPLES} samples, from `position` on. */
  | { readonly kind: 'frame'; readonly position: Samples; readonly probability: number }
  /** The client ends the utterance at `position`. */
  | { readonly kind: 'commit'; readonly position: Samples }
  /** There is no more audio after `position`. */
  | { readonly kind: 'end'; readonly position: Samples };

/** `silence`: nobody spoke on. `length`: it got too long. `commit`: the client said so. `end`: the audio ended. */
export type EndedBy = 'silence' | 'length' | 'commit' | 'end';

export type EndpointEffect =
  /** Somebody speaks, since `start`. */
  | { readonly kind: 'started'; readonly start: Samples }
  /** The speaker pauses. If the pause lasts, the utterance will end with just these bounds. */
  | { readonly kind: 'pausing'; readonly start: Samples; readonly end: Samples }
  | { readonly kind: 'ended'; readonly start: Samples; readonly end: Samples; readonly endedBy: EndedBy };

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
  }
}

/** The earliest sample that an utterance, open or to come, may still need. Never goes back. */
export function neededFrom(state: EndpointState, nextFrame: Samples): Samples {
  switch (state.kind) {
    case 'silence':
      return backdate(nextFrame, state.floor);
    case 'onset':
      return backdate(state.since, state.floor);
    case 'speaking':
    case 'trailing':
      return state.start;
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
        { kind: 'speaking', start, lastProbability: probability, cut: null },
        [{ kind: 'started', start }],
      ];
    }
    case 'speaking': {
      const open = { start: state.start, ...weigh(state, position, probability, limits) };
      if (isFull(state.start, position, limits)) return cutShort(open, position);
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
  const open = { start: state.start, ...weigh(state, position, probability, limits) };
  const { silentSince } = state;
  const frameEnd = samples(position + FRAME_SAMPLES);
  const isSilent = probability < ENTER;
  if (isSilent && frameEnd - silentSince + RELEASE >= limits.silence)
    return close(open.start, tailed(silentSince, frameEnd), 'silence');
  if (isFull(state.start, position, limits))
    return isSilent ? close(open.start, tailed(silentSince, frameEnd), 'length') : cutShort(open, position);
  if (!isSilent) return [{ kind: 'speaking', ...open }, []];
  const pausing = { kind: 'pausing', start: open.start, end: samples(silentSince + TAIL) } as const;
  return [{ kind: 'trailing', silentSince, ...open }, frameEnd === pausing.end ? [pausing] : []];
}

function onClose(state: EndpointState, position: Samples, endedBy: 'commit' | 'end'): Step {
  switch (state.kind) {
    case 'silence':
    case 'onset':
      return [state, []];
    case 'speaking':
      return close(state.start, position, endedBy);
    case 'trailing':
      return close(state.start, tailed(state.silentSince, position), endedBy);
  }
}

const tailed = (silentSince: Samples, now: Samples): Samples => earlier(silentSince + TAIL, now);

function close(start: Samples, end: Samples, endedBy: EndedBy): Step {
  return [{ kind: 'silence', floor: end }, [{ kind: 'ended', start, end, endedBy }]];
}

/** Whether the next frame could carry the utterance over its limit. */
const isFull = (start: Samples, position: Samples, limits: EndpointLimits): boolean =>
  position + 2 * FRAME_SAMPLES - start > limits.maxUtterance;

/** Remembers the quietest place in the last part of the longest utterance there may be. */
function weigh(
  open: Open,
  position: Samples,
  probability: number,
  limits: EndpointLimits,
): Omit<Open, 'start'> {
  const loudness = open.lastProbability + probability;
  // Half the limit at most, so that what is left over for the next utterance is never full already.
  const cutWindow = Math.min(CUT_WINDOW, limits.maxUtterance / 2);
  const inWindow = position >= open.start + limits.maxUtterance - cutWindow;
  const better = inWindow && (open.cut === null || loudness <= open.cut.loudness);
  return { lastProbability: probability, cut: better ? { at: position, loudness } : open.cut };
}

/** Ends a too long utterance at its best place; what came after is the beginning of the next. */
function cutShort(open: Open, position: Samples): Step {
  const at = open.cut?.at ?? position;
  return [
    { kind: 'speaking', start: at, lastProbability: open.lastProbability, cut: null },
    [
      { kind: 'ended', start: open.start, end: at, endedBy: 'length' },
      { kind: 'started', start: at },
    ],
  ];
}
