/**
 * Stream time. Everything inside the gateway runs on one clock that starts with a session's first sample:
 * positions are counted in samples at 16 kHz mono, and shown to clients in integer milliseconds. Neither is
 * ever wall-clock time, and the brands keep the two from being mixed up.
 */

declare const unit: unique symbol;

/** A position or length in samples at {@link SAMPLE_RATE_HZ}, mono. */
export type Samples = number & { readonly [unit]: 'samples' };

/** A position or length in milliseconds of audio. */
export type StreamMs = number & { readonly [unit]: 'streamMs' };

/** The rate of all audio after `audio/`: what Whisper and Silero were trained on. */
export const SAMPLE_RATE_HZ = 16_000;

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

/** Marks a plain number as a sample position. */
export const samples = (count: number): Samples => count as Samples;

/** Samples to whole milliseconds, rounded to nearest. */
export const toStreamMs = (position: Samples): StreamMs => Math.round(position / SAMPLES_PER_MS) as StreamMs;

/** Milliseconds to samples, rounded to nearest. */
export const toSamples = (ms: number): Samples => Math.round(ms * SAMPLES_PER_MS) as Samples;
