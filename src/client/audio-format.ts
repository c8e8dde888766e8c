import type { AudioFormat } from '../domain/options.ts';

/** What is meant where nothing is said. */
export const DEFAULT_AUDIO: AudioFormat = { encoding: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 };

/** Bytes of one instant over all channels; null for containers, where bytes and samples have no fixed relation. */
export function bytesPerSample({ encoding, channels }: AudioFormat): number | null {
  switch (encoding) {
    case 'pcm_s16le':
      return 2 * channels;
    case 'pcm_f32le':
      return 4 * channels;
    case 'mulaw':
    case 'alaw':
      return channels;
    case 'container':
      return null;
  }
}
