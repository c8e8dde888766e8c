/** Long audio of the clips: a recording with pauses, and speech without any. */
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { seeded } from '../../test/support/audio.ts';
import { withoutPauses } from '../../test/support/pauseless.ts';
import type { Clip } from '../audio/clips.ts';
import { enoughClips, type Script, toFloat } from '../audio/script.ts';

/** What is left of a pause: no more than between two words. */
const KEPT_MS = 60;
const SHORTEST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 2_000;
/** Between two sentences of the recording: noise as loud as a quiet room, in units of 16 bits. */
const ROOM = 12;

/** Sentences in a seeded order with seeded pauses between them. */
export function withPauses(clips: readonly Clip[], lengthMs: number, seed: number): Script {
  const random = seeded(seed);
  const mean = (SHORTEST_PAUSE_MS + LONGEST_PAUSE_MS) / 2;
  const parts = enoughClips(clips, lengthMs, mean, random).map((clip) => {
    const pauseMs = SHORTEST_PAUSE_MS + (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS) * random();
    const pause = Int16Array.from({ length: samplesIn(pauseMs) }, () =>
      Math.round(ROOM * (2 * random() - 1)),
    );
    return { text: clip.text, pcm: [clip.pcm, pause] };
  });
  return scriptOf(parts);
}

/** Sentences in a seeded order, with the silences in and between them cut out. */
export function pauseless(clips: readonly Clip[], lengthMs: number, seed: number): Script {
  const cut = clips.map((clip) => ({ ...clip, pcm: toPcm(withoutPauses(toFloat(clip.pcm), KEPT_MS)) }));
  // Nobody says a sentence twice in one breath, and Whisper takes the two for one; so there are more to choose from.
  const order = enoughClips(cut, 2 * lengthMs, 0, seeded(seed)).values();
  const spoken: Clip[] = [];
  for (let samples = 0; samples < samplesIn(lengthMs); ) {
    const { value: clip } = order.next();
    if (!clip) throw new RangeError('a single clip cannot be said without saying it twice');
    if (clip === spoken.at(-1)) continue;
    spoken.push(clip);
    samples += clip.pcm.length;
  }
  return scriptOf(spoken.map(({ text, pcm }) => ({ text, pcm: [pcm] })));
}

const samplesIn = (ms: number): number => Math.round((ms * SAMPLE_RATE_HZ) / 1000);
const toPcm = (audio: Float32Array): Int16Array => Int16Array.from(audio, (x) => Math.round(x * 32_767));

function scriptOf(parts: readonly { text: string; pcm: readonly Int16Array[] }[]): Script {
  const pieces = parts.flatMap(({ pcm }) => pcm);
  const pcm = new Int16Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    pcm.set(piece, at);
    at += piece.length;
  }
  const durationMs = Math.floor((1000 * pcm.length) / SAMPLE_RATE_HZ);
  // Whoever plays it may stop at its end: nothing is waited for but the last final.
  const speech = [{ startMs: 0, endMs: durationMs }];
  return { pcm, durationMs, speech, text: parts.map(({ text }) => text).join(' ') };
}
