/** From what passes cost to what a machine serves: arithmetic, nothing measured. */
import { CADENCE, SLOWEST_CADENCE } from '../../src/session/partials.ts';
import { MEMORY_BYTES } from '../../src/whisper/model.ts';
import { type Costs, LONG_SECONDS, SHORT_SECONDS } from './costs.ts';

/** Of English read aloud, as in the clips of `test/fixtures`. */
const TOKENS_PER_SECOND = 4;
/** Of all cores; beyond it, work that comes unevenly waits for long. */
const USED = 0.8;
/** A final that takes longer by itself, on a core that has nothing else to do, is not live. */
const MAX_FINAL_MS = 1_000;
/** What is decoded of a final behind its draft: the last words, and the end mark. */
const FINAL_TOKENS = 3;

const SAMPLE_RATE_HZ = 16_000;
const USUAL_SECONDS = CADENCE / SAMPLE_RATE_HZ;
const SLOWEST_SECONDS = SLOWEST_CADENCE / SAMPLE_RATE_HZ;

export interface Capacity {
  /** Over {@link SHORT_SECONDS}, all cores together, each going on from the one before. */
  readonly partialsPerSecond: number;
  /** Work of one core from the end of an utterance to its text. */
  readonly finalMs: number;
  /** Who talk all the time: with partials as often as they come by default, and as rarely as they may under load. */
  readonly speakers: { readonly usual: number; readonly slowest: number };
  /** Whether anybody is served live at all. */
  readonly isLive: boolean;
  /** Of recordings, in a second, all cores together. */
  readonly audioSecondsPerSecond: number;
}

/** @param cores Threads of recognition, one core each. */
export function capacityOf(costs: Costs, cores: number): Capacity {
  const newTokensMs = (seconds: number) => TOKENS_PER_SECOND * seconds * costs.tokenMs;
  const partialMs = (encodeMs: number, cadenceSeconds: number) =>
    encodeMs + costs.draftMs + newTokensMs(cadenceSeconds);
  const finalMs = costs.encodeShortMs + costs.draftMs + FINAL_TOKENS * costs.tokenMs;

  /** Utterances follow each other without a pause, each as long as the one that was timed. */
  const speakersAt = (cadenceSeconds: number): number => {
    const served = (encodeMs: number) => {
      const loadMs = partialMs(encodeMs, cadenceSeconds) / cadenceSeconds + finalMs / SHORT_SECONDS;
      return Math.floor((USED * cores * 1000) / loadMs);
    };
    // Utterances beyond what the threads remember are encoded from their beginning each time.
    const remembered = Math.floor((cores * MEMORY_BYTES) / costs.keptBytes);
    return Math.max(served(costs.encodeAnewMs), Math.min(served(costs.encodeGrownMs), remembered));
  };

  const speakers = { usual: speakersAt(USUAL_SECONDS), slowest: speakersAt(SLOWEST_SECONDS) };
  const windowMs = costs.encodeLongMs + costs.draftMs + TOKENS_PER_SECOND * LONG_SECONDS * costs.longTokenMs;
  return {
    partialsPerSecond: (1000 * cores) / partialMs(costs.encodeGrownMs, USUAL_SECONDS),
    finalMs,
    speakers,
    isLive: finalMs <= MAX_FINAL_MS && speakers.slowest > 0,
    audioSecondsPerSecond: (1000 * cores * LONG_SECONDS) / windowMs,
  };
}
