/** Positions as clients count them. */
import type { AudioFormat } from '../domain/options.ts';
import { SAMPLE_RATE_HZ, type Samples } from '../domain/time.ts';

/** A position at the declared rate, rounded down; containers are counted as they are decoded, at 16 kHz. */
export function atDeclaredRate(position: Samples, { encoding, sampleRateHz }: AudioFormat): number {
  return encoding === 'container' ? position : Math.floor((position * sampleRateHz) / SAMPLE_RATE_HZ);
}
