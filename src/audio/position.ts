/** Counts raw audio in the rate it was declared in: what a client knows of its own position. */
import type { AudioFormat } from '../domain/options.ts';
import { BYTES_PER_SAMPLE, RAW_SAMPLE_TYPE } from './pcm.ts';

/**
 * Bytes of one sample: one instant over all channels.
 * @throws RangeError for containers, whose bytes say nothing of time; they are counted after decoding, at 16 kHz.
 */
export function bytesPerFrame(format: AudioFormat): number {
  if (format.encoding === 'container') throw new RangeError('bytes of a container are not samples');
  return BYTES_PER_SAMPLE[RAW_SAMPLE_TYPE[format.encoding]] * format.channels;
}

/** Whole samples in so many bytes of raw audio, counted at `format.sampleRateHz`. Throws for containers. */
export function samplesOf(bytes: number, format: AudioFormat): number {
  return Math.floor(bytes / bytesPerFrame(format));
}
