/**
 * Where speech without a pause had to be cut. The words around the cut are heard twice: with the utterance before
 * it, and again with the next one. They are given to one of the two by their times, and the next one is made to
 * begin with the last of them, letter for letter, before it goes on: so no error of a time can lose or double a word.
 */
import type { Word } from '../domain/event.ts';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import type { Recognition } from '../whisper/recognition.ts';

/** What an utterance that was cut leaves to the one that goes on from the cut. */
export interface Carried {
  /** Its last words, which the next one hears again. */
  readonly text: string;
  /** Where the audio of those words begins: so many samples before the cut. */
  readonly lead: number;
}

/** One side of a cut. */
export interface BeforeCut {
  readonly text: string;
  /** Its words, with their times in the audio. */
  readonly words: readonly Word[];
  /** Null where nothing can be carried over: the next utterance is heard from the cut on. */
  readonly carried: Carried | null;
}

/** Carried words begin between so much … */
const LEAST_LEAD_MS = 800;
/** … and so much before the cut; more is never heard again. */
const MOST_LEAD_MS = 3_000;
/** The quietest place between two words may lie so far within either: their times are not as sure as that. */
const REACH_MS = 80;

/** Where each word stands in the text; null where the words are not those of the text. */
export function placesOf(text: string, words: readonly Word[]): [from: number, to: number][] | null {
  const places: [number, number][] = [];
  let at = 0;
  for (const word of words) {
    const from = text.indexOf(word.text, at);
    if (from < 0) return null;
    at = from + word.text.length;
    places.push([from, at]);
  }
  return places;
}

/**
 * Takes what belongs before a cut of what was heard around it.
 *
 * @param heard Of `audio`, with its words.
 * @param cutMs Where in `audio` the cut is.
 * @param settled What has been promised of the text, however its words lie to the cut; empty for nothing.
 * @returns Null where the words are not known.
 */
export function beforeCut(
  { text, words }: Pick<Recognition, 'text' | 'words'>,
  audio: Float32Array,
  cutMs: number,
  settled: string,
): BeforeCut | null {
  const places = words && placesOf(text, words);
  if (!words || !places) return null;
  let count = words.filter(({ startMs, endMs }) => (startMs + endMs) / 2 < cutMs).length;
  const promised = settled.trimEnd().length;
  while (count < words.length && (places[count - 1]?.[1] ?? 0) < promised) count++;
  const end = places[count - 1]?.[1] ?? 0;

  let carried: Carried | null = null;
  let faintest = Number.POSITIVE_INFINITY;
  for (let at = 1; at < count; at++) {
    const { startMs } = words[at]!;
    if (startMs < cutMs - MOST_LEAD_MS || startMs > cutMs - LEAST_LEAD_MS) continue;
    const { atMs, energy } = quietest(audio, words[at - 1]!.endMs - REACH_MS, startMs + REACH_MS);
    if (energy > faintest) continue;
    faintest = energy;
    carried = { text: text.slice(places[at]![0], end), lead: samplesOf(cutMs - atMs) };
  }
  return { text: text.slice(0, end), words: words.slice(0, count), carried };
}

const HOP_MS = 10;

const samplesOf = (ms: number): number => Math.round((ms * SAMPLE_RATE_HZ) / 1000);

/** The middle of the quietest 20 ms between two times. */
function quietest(audio: Float32Array, fromMs: number, toMs: number): { atMs: number; energy: number } {
  let best = { atMs: Math.max(0, (fromMs + toMs) / 2), energy: Number.POSITIVE_INFINITY };
  for (let atMs = Math.max(HOP_MS, fromMs + HOP_MS); atMs <= toMs - HOP_MS; atMs += HOP_MS) {
    const frame = audio.subarray(samplesOf(atMs - HOP_MS), samplesOf(atMs + HOP_MS));
    if (frame.length === 0) break;
    const energy = frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length;
    if (energy <= best.energy) best = { atMs, energy };
  }
  return best;
}
