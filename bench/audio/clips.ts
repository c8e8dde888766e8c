/** The recorded sentences that are played: LibriVox clips whose words are known. */
import { readFileSync } from 'node:fs';
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { fixture, TRANSCRIPTS } from '../../test/support/speech.ts';
import { type Interval, speechIntervals } from './activity.ts';

/** One recording, 16 kHz mono. */
export interface Clip {
  readonly name: string;
  /** Two- or three-letter code. */
  readonly language: string;
  /** What is said in it. */
  readonly text: string;
  readonly pcm: Int16Array;
  /** Where somebody speaks. */
  readonly speech: readonly Interval[];
}

/** At least so much of a clip's beginning and of its end is silent. */
export const EDGE_SILENCE_MS = 160;
/** More would be speech that was not found. */
const MAX_EDGE_MS = 1000;
/** As people read aloud. */
const WORDS_PER_SECOND = { least: 1, most: 6 };

/** Every fixture with a transcript. @throws Error where one is not what the measurements take it for. */
export function readClips(): Clip[] {
  return Object.entries(TRANSCRIPTS).map(([name, { language, text }]) => {
    const pcm = readPcm(name);
    const clip = {
      name: name.replace(/\.wav$/, ''),
      language,
      text,
      pcm,
      speech: speechIntervals(pcm, SAMPLE_RATE_HZ),
    };
    assertPlausible(clip);
    return clip;
  });
}

function readPcm(name: string): Int16Array {
  const bytes = readFileSync(fixture(name));
  const start = bytes.indexOf('data') + 8;
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

/** Delays are worth nothing where the speech was not found: better none than wrong ones. */
function assertPlausible({ name, text, pcm, speech }: Clip): void {
  const durationMs = (pcm.length / SAMPLE_RATE_HZ) * 1000;
  const [first, last] = [speech[0], speech.at(-1)];
  if (!first || !last) throw new Error(`${name}: no speech was found`);
  const fail = (what: string) => {
    throw new Error(`${name}: ${what}; speech was found from ${first.startMs} to ${last.endMs} ms`);
  };
  const plausible = (edgeMs: number) => edgeMs >= EDGE_SILENCE_MS && edgeMs <= MAX_EDGE_MS;
  if (!plausible(first.startMs)) fail('the speech begins too early or too late');
  if (!plausible(durationMs - last.endMs)) fail('the speech ends too early or too late');
  const pace = text.split(/\s+/).length / ((last.endMs - first.startMs) / 1000);
  if (pace < WORDS_PER_SECOND.least || pace > WORDS_PER_SECOND.most)
    fail(`${pace.toFixed(1)} words a second`);
}
