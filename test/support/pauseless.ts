/** Speech without a pause: recorded sentences one after the other, their silences cut out. */
import { concat } from './audio.ts';

const FRAME = 160;
/** What is so much fainter than the speech is silence. */
const BELOW_SPEECH_DB = 30;

/**
 * Takes the silences out of a recording, but for `keptMs` of each: in whole frames of 10 ms, half from its beginning
 * and half from its end, so that what is left sounds like before.
 * @param audio 16 kHz mono, −1…1.
 */
export function withoutPauses(audio: Float32Array, keptMs: number): Float32Array {
  const levels = Array.from({ length: Math.floor(audio.length / FRAME) }, (_, frame) => {
    const energy = audio.subarray(frame * FRAME, (frame + 1) * FRAME).reduce((sum, x) => sum + x * x, 0);
    return 10 * Math.log10(energy / FRAME + 1e-10);
  });
  const loud = levels.toSorted((a, b) => a - b)[Math.floor(levels.length * 0.95)] ?? 0;
  const isQuiet = (frame: number) => levels[frame]! < loud - BELOW_SPEECH_DB;
  const half = Math.floor(keptMs / 20);
  const parts: Float32Array[] = [];
  const keep = (from: number, to: number) => parts.push(audio.subarray(from * FRAME, to * FRAME));
  for (let from = 0; from < levels.length; ) {
    let to = from;
    while (to < levels.length && isQuiet(to) === isQuiet(from)) to++;
    if (!isQuiet(from) || to - from <= 2 * half) keep(from, to);
    else {
      if (from > 0) keep(from, from + half);
      if (to < levels.length) keep(to - half, to);
    }
    from = to;
  }
  return concat(parts);
}
