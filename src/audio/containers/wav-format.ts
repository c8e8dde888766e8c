/** The `fmt ` chunk of a WAVE file (RIFF MCI 1991; WAVE_FORMAT_EXTENSIBLE: Microsoft's ksmedia.h). */
import type { PcmLayout, SampleType } from '../pcm.ts';
import { MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ } from '../resampler.ts';
import { undecodable } from '../undecodable.ts';
import { viewOf } from './byte-queue.ts';

const EXTENSIBLE = 0xfffe;
/** The least a `fmt ` chunk holds; extensible ones hold {@link EXTENSIBLE_BYTES}. */
const PLAIN_BYTES = 16;
const EXTENSIBLE_BYTES = 40;
export const MAX_CONTAINER_CHANNELS = 32;

/** Sample types by format tag and bytes per sample. */
const SAMPLE_TYPES: Readonly<Record<number, Readonly<Record<number, SampleType>>>> = {
  1: { 1: 'u8', 2: 's16le', 3: 's24le', 4: 's32le' },
  3: { 4: 'f32le', 8: 'f64le' },
  6: { 1: 'alaw' },
  7: { 1: 'mulaw' },
};

export interface WavFormat extends PcmLayout {
  readonly rateHz: number;
}

/** The format tag, or that of the sub-format where the tag says "extensible"; null where the chunk is too short. */
export function wavFormatTag(chunk: Uint8Array): number | null {
  if (chunk.length < PLAIN_BYTES) return null;
  const tag = viewOf(chunk).getUint16(0, true);
  if (tag !== EXTENSIBLE) return tag;
  return chunk.length < EXTENSIBLE_BYTES ? null : viewOf(chunk).getUint16(24, true);
}

/** Whether samples with this tag are read here; others (ADPCM, MP3 in WAVE …) need ffmpeg. */
export const isPlainWav = (tag: number): boolean => tag in SAMPLE_TYPES;

/**
 * Reads a `fmt ` chunk's body. Block sizes and byte rates are not believed but computed.
 * @throws Failure `audio_undecodable` where it describes no audio we know.
 */
export function readWavFormat(chunk: Uint8Array): WavFormat {
  const tag = wavFormatTag(chunk);
  if (tag === null) throw undecodable('The WAV header is cut short.');
  const view = viewOf(chunk);
  const channels = view.getUint16(2, true);
  const rateHz = view.getUint32(4, true);
  const bits = view.getUint16(14, true);
  const sampleType = SAMPLE_TYPES[tag]?.[Math.ceil(bits / 8)];
  if (!sampleType) throw undecodable(`WAV with format ${tag} and ${bits} bits is not supported.`);
  if (channels < 1 || channels > MAX_CONTAINER_CHANNELS)
    throw undecodable(
      `The WAV header says ${channels} channels; 1 to ${MAX_CONTAINER_CHANNELS} can be read.`,
    );
  if (rateHz < MIN_INPUT_RATE_HZ || rateHz > MAX_INPUT_RATE_HZ)
    throw undecodable(
      `The WAV header says ${rateHz} Hz; ${MIN_INPUT_RATE_HZ} to ${MAX_INPUT_RATE_HZ} can be read.`,
    );
  return { sampleType, channels, rateHz };
}
