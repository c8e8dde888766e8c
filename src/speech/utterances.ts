/** Audio in, utterances out: voice activity says how likely speech is, endpointing what follows from it. */
import { COMMIT, type DecodedInput, DISCARD } from '../audio/input.ts';
import type { EndpointingOptions } from '../domain/options.ts';
import { type Samples, samples, toSamples } from '../domain/time.ts';
import {
  BEFORE_SPEECH,
  type EndedBy,
  type EndpointEvent,
  type EndpointLimits,
  type EndpointState,
  framesAtOnce,
  neededFrom,
  step,
} from './endpointing.ts';
import { FRAME_SAMPLES } from './frame.ts';
import { Trail } from './trail.ts';
import type { VadStream } from './vad.ts';

/**
 * What happens in the speech of a stream. Positions are samples at 16 kHz from its first. Utterances are told one
 * after the other, never overlap, and every `started` has its `ended`. Where speech without a pause had to be cut,
 * an utterance begins where the last one ended, and each is heard with some of the other: `audio` goes from `from`,
 * at `start` or before it, to `end`, or to `to` after it.
 */
export type SpeechEvent =
  /** Confirmed speech. */
  | { readonly kind: 'started'; readonly from: Samples; readonly start: Samples }
  /** The open utterance so far, at most once for each chunk of input, and not while the speaker is silent. */
  | ({ readonly kind: 'growing' } & HeardSofar)
  /** The speaker paused: if the pause lasts, `ended` by silence follows with the same bounds. */
  | ({ readonly kind: 'pausing' } & HeardSofar)
  | {
      readonly kind: 'ended';
      readonly from: Samples;
      readonly start: Samples;
      readonly end: Samples;
      /** After `end` where the speech was cut and the next utterance goes on from there; `end` otherwise. */
      readonly to: Samples;
      /** A buffer of its own. */
      readonly audio: Float32Array;
      readonly endedBy: EndedBy;
    }
  /** No utterance, open or to come, needs anything before this position. */
  | { readonly kind: 'settled'; readonly until: Samples }
  /** A {@link COMMIT} was come to: what was spoken before it has been told. */
  | { readonly kind: 'committed' };

interface HeardSofar {
  readonly from: Samples;
  readonly start: Samples;
  readonly end: Samples;
  /** A view of a larger buffer, which is never overwritten. */
  readonly audio: Float32Array;
}

/** Frames that voice activity looks at in one go: a second, some 5 ms of work. */
const FRAMES_AT_ONCE = 31;
/** `settled` is told when it has moved by so much, or an utterance ended. */
const SETTLED_STEP = toSamples(250);

/**
 * Finds the utterances in `input`. Reads the next chunk when the consumer asks for more; holds the open utterance
 * (and, where it goes on from a cut, the 3 s before that) and a quarter of a second otherwise. A {@link COMMIT} ends
 * the open utterance where it stands, and is told of in any case; a {@link DISCARD} ends it as one to be dropped.
 */
export async function* utterances(
  input: AsyncIterable<DecodedInput>,
  vad: VadStream,
  options: EndpointingOptions,
): AsyncGenerator<SpeechEvent, void, undefined> {
  const finder = new UtteranceFinder({
    silence: toSamples(options.silenceMs),
    maxUtterance: toSamples(options.maxUtteranceMs),
  });
  async function* hear(how: 'patient' | 'all'): AsyncGenerator<SpeechEvent, void, undefined> {
    for (let frames = finder.nextFrames(how); frames.length > 0; frames = finder.nextFrames(how))
      yield* finder.hear(await vad.probabilities(frames));
  }
  for await (const item of input) {
    if (typeof item === 'string') {
      yield* hear('all');
      yield* finder.close(item);
      if (item === COMMIT) yield { kind: 'committed' };
      continue;
    }
    finder.append(item);
    yield* hear('patient');
    yield* finder.sofar();
  }
  yield* hear('all');
  const last = finder.lastFrame();
  if (last) yield* finder.hear(await vad.probabilities(last));
  yield* finder.close('end');
  yield* finder.settle();
}

/** Everything about a stream's utterances but the waiting. */
class UtteranceFinder {
  readonly #limits: EndpointLimits;
  readonly #trail = new Trail();
  #state: EndpointState = BEFORE_SPEECH;
  #nextFrame = samples(0);
  #settled = 0;

  constructor(limits: EndpointLimits) {
    this.#limits = limits;
  }

  append(audio: Float32Array): void {
    this.#trail.append(audio);
  }

  /** Whole frames not yet heard; empty where there is none, or, to be `patient`, where more may come first. */
  nextFrames(how: 'patient' | 'all'): Float32Array {
    const atLeast = how === 'all' ? 1 : framesAtOnce(this.#state, this.#nextFrame, this.#limits);
    const frames = Math.floor((this.#trail.end - this.#nextFrame) / FRAME_SAMPLES);
    const count = frames < atLeast ? 0 : Math.min(frames, FRAMES_AT_ONCE) * FRAME_SAMPLES;
    return this.#trail.view(this.#nextFrame, samples(this.#nextFrame + count));
  }

  /** What is left at the end, filled up with silence. */
  lastFrame(): Float32Array | null {
    if (this.#trail.end === this.#nextFrame) return null;
    const frame = new Float32Array(FRAME_SAMPLES);
    frame.set(this.#trail.view(this.#nextFrame, this.#trail.end));
    return frame;
  }

  /** Takes in the probabilities of the frames that {@link nextFrames} gave. */
  *hear(probabilities: Float32Array): Generator<SpeechEvent> {
    for (const probability of probabilities) {
      const position = this.#nextFrame;
      this.#nextFrame = samples(position + FRAME_SAMPLES);
      yield* this.#step({ kind: 'frame', position, probability });
    }
  }

  *close(kind: 'commit' | 'discard' | 'end'): Generator<SpeechEvent> {
    yield* this.#step({ kind, position: this.#trail.end });
  }

  /** How things stand after a chunk. */
  *sofar(): Generator<SpeechEvent> {
    if (this.#state.kind === 'speaking') {
      const { from, start } = this.#state;
      const end = this.#trail.end;
      yield { kind: 'growing', from, start, end, audio: this.#trail.view(from, end) };
    } else if (this.#neededFrom() - this.#settled >= SETTLED_STEP) {
      yield* this.#settle(this.#neededFrom());
    }
  }

  /** At the very end everything is settled. */
  *settle(): Generator<SpeechEvent> {
    yield* this.#settle(this.#trail.end);
  }

  *#step(event: EndpointEvent): Generator<SpeechEvent> {
    const [next, effects] = step(this.#state, event, this.#limits);
    this.#state = next;
    for (const effect of effects) {
      if (effect.kind === 'started') {
        yield effect;
        continue;
      }
      // The last frame is filled up beyond the end of the audio.
      const end = this.#kept(effect.end);
      if (effect.kind === 'pausing') {
        yield { ...effect, end, audio: this.#trail.view(effect.from, end) };
      } else {
        const to = this.#kept(effect.to);
        yield { ...effect, end, to, audio: this.#trail.view(effect.from, to).slice() };
        yield* this.#settle(end);
      }
    }
    // A commit may fall into a frame that is yet to be heard.
    this.#trail.forget(samples(Math.min(this.#neededFrom(), this.#nextFrame)));
  }

  *#settle(until: Samples): Generator<SpeechEvent> {
    if (until <= this.#settled) return;
    this.#settled = until;
    yield { kind: 'settled', until };
  }

  #kept(position: Samples): Samples {
    return samples(Math.min(position, this.#trail.end));
  }

  #neededFrom(): Samples {
    return neededFrom(this.#state, this.#nextFrame);
  }
}
