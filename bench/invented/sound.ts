/** A sound in which nobody says a word, made a tenth of a second at a time so that an hour of it needs no memory. */
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';

/** The same numbers, 0–1, for the same seed. */
export type Random = () => number;

/** 16 kHz mono, −1…1, in pieces of {@link PIECE_SAMPLES}; without end. */
export type Sound = Generator<Float32Array, never>;

export const PIECE_SAMPLES = SAMPLE_RATE_HZ / 10;

/** A sound from a function that gives one sample after the other. */
export function* sampled(next: () => number): Sound {
  for (;;) yield Float32Array.from({ length: PIECE_SAMPLES }, next);
}

/** The pieces of longer stretches, one stretch after the other. */
export function* spliced(stretch: () => Float32Array): Sound {
  let piece = new Float32Array(PIECE_SAMPLES);
  let filled = 0;
  for (;;) {
    const whole = stretch();
    for (let at = 0; at < whole.length; ) {
      const part = whole.subarray(at, at + PIECE_SAMPLES - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < PIECE_SAMPLES) continue;
      yield piece;
      piece = new Float32Array(PIECE_SAMPLES);
      filled = 0;
    }
  }
}

/** Root mean square of a sound at so many decibels below full scale. */
export const atDb = (db: number): number => 10 ** (db / 20);

/** A number from the normal distribution (Box and Muller, 1958). */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
