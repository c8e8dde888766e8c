/** Clips that are told apart by their loudness over time, wherever a recognition of them begins. */
import type { Random } from '../../../src/flow/chance.ts';
import { pcmOf, silence, TRANSCRIPTS } from '../../support/speech.ts';

/** Bytes of a millisecond of 16-bit PCM at 16 kHz. */
export const MS_BYTES = 32;

/** Samples of one step of an envelope: 20 ms. */
const STEP = 320;
/** How far a recognition may begin from where its clip does, in steps: 400 ms. */
const MAX_SHIFT = 20;
/** How much longer or shorter than its clip it may be. */
const MAX_DIFFERENCE = 30;
const LIKENESS = 0.95;

/** Energy is what is compared: the root mean square of each step. */
function envelopeOf(pcm: Buffer): Float64Array {
  const samples = new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + (pcm.length & ~1)));
  return Float64Array.from({ length: Math.floor(samples.length / STEP) }, (_, step) => {
    let energy = 0;
    for (let at = step * STEP; at < (step + 1) * STEP; at++) energy += samples[at]! ** 2;
    return Math.sqrt(energy / STEP);
  });
}

const CLIPS = Object.entries(TRANSCRIPTS).map(([name, { text }]) => {
  const pcm = pcmOf(name);
  return { text, pcm, envelope: envelopeOf(pcm) };
});

/** Pearson's correlation of `a` with `b` moved by `shift`; beyond their ends there is silence. */
function likeness(a: Float64Array, b: Float64Array, shift: number): number {
  const [from, to] = [Math.min(0, shift), Math.max(a.length, b.length + shift)];
  const length = to - from;
  let [sumA, sumB, aa, bb, ab] = [0, 0, 0, 0, 0];
  for (let at = from; at < to; at++) {
    const [x, y] = [a[at] ?? 0, b[at - shift] ?? 0];
    sumA += x;
    sumB += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const spread = (aa - sumA ** 2 / length) * (bb - sumB ** 2 / length);
  return (ab - (sumA * sumB) / length) / Math.sqrt(spread || 1);
}

/**
 * What is said in a stretch of 16-bit PCM, where it is one clip from its beginning to its end; otherwise how long
 * the stretch is, which is no text of any clip.
 */
export function whatIsSaid(pcm: Buffer): string {
  const heard = envelopeOf(pcm);
  for (const { text, envelope } of CLIPS) {
    if (Math.abs(heard.length - envelope.length) > MAX_DIFFERENCE) continue;
    for (let shift = -MAX_SHIFT; shift <= MAX_SHIFT; shift++)
      if (likeness(heard, envelope, shift) >= LIKENESS) return text;
  }
  return `${(1000 * pcm.length) / 32_000} ms that are no clip`;
}

/** Speech as one utterance after the other, and where each begins and ends. */
export interface Talk {
  readonly audio: Buffer<ArrayBuffer>;
  readonly said: readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[];
}

/** So many clips, picked and spaced by chance. A pause is longer than the half second that ends an utterance. */
export function talkOf(count: number, random: Random): Talk {
  const pieces: Buffer[] = [silence(200 + Math.floor(300 * random()))];
  const said: Talk['said'][number][] = [];
  for (let at = 0; at < count; at++) {
    const { text, pcm } = CLIPS[Math.floor(CLIPS.length * random())]!;
    const startMs = pieces.reduce((sum, { length }) => sum + length, 0) / MS_BYTES;
    said.push({ text, startMs, endMs: startMs + pcm.length / MS_BYTES });
    pieces.push(pcm, silence(900 + Math.floor(600 * random())));
  }
  return { audio: Buffer.concat(pieces), said };
}
