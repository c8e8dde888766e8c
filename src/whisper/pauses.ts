/** Where nobody speaks inside an utterance, for times that must not lie in a pause. */
import { SAMPLE_RATE_HZ } from '../domain/time.ts';

/** A stretch of audio, in milliseconds from its beginning. */
export interface Pause {
  readonly startMs: number;
  readonly endMs: number;
}

const FRAME_MS = 10;
const FRAME_SAMPLES = (SAMPLE_RATE_HZ / 1000) * FRAME_MS;

/**
 * The level of speech is that of its loudest tenth of frames, that of the room its faintest. A pause is 8 dB above
 * the room at most, so that a soft f or s is none; and 22 to 32 dB below the speech, whatever the room.
 */
const SHARE = 0.1;
const ABOVE_ROOM = 10 ** 0.8;
const FAINTER = 10 ** -2.2;
const FAINTEST = 10 ** -3.2;

/** Shorter ones are stops: the lips or the tongue closed before a p, t or k. */
const LEAST_MS = 100;

/** Sounds too short for speech do not part a pause. */
const CLICK_MS = 50;

/**
 * The pauses of an utterance, in order. In noise that is nearly as loud as the speech there are none to be found.
 * @param audio 16 kHz mono, −1…1.
 */
export function pausesOf(audio: Float32Array): Pause[] {
  const energies = frameEnergies(audio);
  const sorted = energies.slice().sort();
  const loud = sorted[Math.floor(energies.length * (1 - SHARE))] ?? 0;
  const room = sorted[Math.floor(energies.length * SHARE)] ?? 0;
  const limit = Math.min(loud * FAINTER, Math.max(loud * FAINTEST, room * ABOVE_ROOM));
  const pauses: Pause[] = [];
  let from = 0;
  for (let frame = 0; frame <= energies.length; frame++) {
    if (frame < energies.length && energies[frame]! <= limit) continue;
    const startMs = from * FRAME_MS;
    const endMs = frame * FRAME_MS;
    from = frame + 1;
    if (endMs - startMs < LEAST_MS) continue;
    const last = pauses.at(-1);
    if (last && startMs - last.endMs <= CLICK_MS) pauses[pauses.length - 1] = { ...last, endMs };
    else pauses.push({ startMs, endMs });
  }
  return pauses;
}

/** Mean square of each whole frame. */
function frameEnergies(audio: Float32Array): Float32Array {
  const energies = new Float32Array(Math.floor(audio.length / FRAME_SAMPLES));
  for (let frame = 0; frame < energies.length; frame++) {
    let sum = 0;
    for (let i = frame * FRAME_SAMPLES; i < (frame + 1) * FRAME_SAMPLES; i++) sum += audio[i]! ** 2;
    energies[frame] = sum / FRAME_SAMPLES;
  }
  return energies;
}

/** How far the end of a word may be taken to a pause. */
const REACH_MS = 200;

/** Nobody pauses for so long inside a word. */
const LONG_MS = 200;

/** A stretch of speech with its times, such as a word. */
interface Timed {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Takes the pauses out of words. Attention knows that a pause lies between two words, but not on which side of
 * their border: the word before ends where the pause begins, and the next one starts where it ends.
 *
 * @param words In order, each ending where the next begins or before.
 * @returns The same words; their order and start ≤ end are kept.
 */
export function apartFromPauses<W extends Timed>(words: readonly W[], pauses: readonly Pause[]): W[] {
  const starts = words.map(({ startMs }) => startMs);
  const ends = words.map(({ endMs }) => endMs);
  // Border i is before word i; the last one is behind the last word.
  const borders = [...starts, ends.at(-1) ?? 0];
  const moved = new Set<number>();
  for (const pause of pauses) {
    const border = borderAt(borders, pause);
    if (border === null) continue;
    // Of two pauses at one border, the first ends a word and the second begins the next.
    if (border > 0 && !moved.has(border)) ends[border - 1] = pause.startMs;
    if (border < words.length) starts[border] = pause.endMs;
    moved.add(border);
  }
  let latest = 0;
  return words.map((word, at) => {
    const startMs = Math.max(latest, starts[at]!);
    latest = Math.max(startMs, Math.min(ends[at]!, starts[at + 1] ?? ends[at]!));
    return { ...word, startMs, endMs: latest };
  });
}

/**
 * Which border a pause belongs to: the nearest, the first of those as near. Where none is near enough, a long pause
 * goes before the word that it would part, for attention comes rather early than late. Null for none.
 */
function borderAt(borders: readonly number[], { startMs, endMs }: Pause): number | null {
  const distances = borders.map((border) => Math.max(startMs - border, border - endMs, 0));
  const least = Math.min(...distances);
  if (least <= REACH_MS) return distances.indexOf(least);
  const parted = borders.findLastIndex((border) => border < startMs);
  const isInside = parted >= 0 && parted < borders.length - 1;
  return isInside && endMs - startMs >= LONG_MS ? parted : null;
}
