/** Recorded speech as the recogniser takes it. */
import { pcmOf } from '../support/speech.ts';

/** A fixture's samples at 16 kHz, −1…1. */
export function samplesOf(file: string): Float32Array {
  const pcm = pcmOf(file);
  return Float32Array.from({ length: pcm.length >> 1 }, (_, i) => pcm.readInt16LE(2 * i) / 32_768);
}
