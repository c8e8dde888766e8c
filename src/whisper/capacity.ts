/** How many people this machine can follow while they speak without a pause, measured when the model is loaded. */
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import { seeded } from '../flow/chance.ts';
import type { RecognitionRequest } from './recognition.ts';

const PARTIALS_PER_SECOND = 2;
/** An utterance of the usual length, and so how often a final comes. */
const UTTERANCE_SECONDS = 5;
/** New audio between the two hypotheses that are timed. */
const NEW_SECONDS = 1 / PARTIALS_PER_SECOND;
/** Above this share of the time, work waits for work. */
const BUSY_SHARE = 0.8;

/** The best of so many counts: other work, and text made up where there is only noise, can only make it worse. */
const TRIES = 3;
/** A model so slow is counted once: the start waits for it. */
const SLOW_MS = 500;

/** What an utterance of five seconds would have been so far: as many tokens as people say. */
const SAID = 'He had always meant to write to them about the house by the river.';

/** Time of one worker for the two kinds of live work, in milliseconds. */
export interface LiveCosts {
  readonly partialMs: number;
  readonly finalMs: number;
}

/** Speakers that `workers` can follow, 1 or more. */
export function speakersFor({ partialMs, finalMs }: LiveCosts, workers: number): number {
  const perSecond = PARTIALS_PER_SECOND * partialMs + finalMs / UTTERANCE_SECONDS;
  return Math.max(1, Math.floor((BUSY_SHARE * workers * 1000) / perSecond));
}

/**
 * Times a hypothesis that goes on from an earlier one, and a final, over five seconds of noise: the cost of encoding
 * does not depend on the sound, and text that is given is as dear as text that is checked. Some tenths of a second.
 *
 * @param run Does a request on one worker.
 * @param nowMs A clock that only goes forward.
 */
export async function measureLiveCosts(
  run: (request: RecognitionRequest) => Promise<unknown>,
  language: string,
  nowMs: () => number,
): Promise<LiveCosts> {
  const audio = hiss(UTTERANCE_SECONDS);
  const asked = {
    language,
    likelyLanguage: null,
    prompt: null,
    prefix: SAID,
    draft: [],
    utterance: 'capacity',
    words: false,
  } as const;
  const partial = (until: number): RecognitionRequest => ({
    audio: audio.subarray(0, until * SAMPLE_RATE_HZ),
    ...asked,
    urgency: 'partial',
  });
  const timed = async (request: RecognitionRequest): Promise<number> => {
    const startedMs = nowMs();
    await run(request);
    return nowMs() - startedMs;
  };
  // What comes first runs slower than what comes after it, and nothing is known to go on from.
  for (const left of [TRIES + 1, TRIES]) await run(partial(UTTERANCE_SECONDS - left * NEW_SECONDS));
  const least = async (requests: readonly RecognitionRequest[]): Promise<number> => {
    let leastMs = Number.POSITIVE_INFINITY;
    for (const request of requests) {
      leastMs = Math.min(leastMs, await timed(request));
      if (leastMs > SLOW_MS) break;
    }
    return leastMs;
  };
  const tries = Array.from({ length: TRIES }, (_, i) => TRIES - 1 - i);
  const partialMs = await least(tries.map((left) => partial(UTTERANCE_SECONDS - left * NEW_SECONDS)));
  const final: RecognitionRequest = { audio, ...asked, urgency: 'final' };
  return { partialMs, finalMs: await least(tries.map(() => final)) };
}

/** Faint noise, the same each time. */
function hiss(seconds: number): Float32Array {
  const random = seeded(1);
  return Float32Array.from({ length: seconds * SAMPLE_RATE_HZ }, () => (2 * random() - 1) / 50);
}
