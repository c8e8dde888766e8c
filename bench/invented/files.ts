/** Audio files of a folder, read by ffmpeg. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findFfmpeg } from '../../src/audio/find-ffmpeg.ts';
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';

export interface AudioFile {
  readonly path: string;
  /** 16 kHz mono. */
  readonly audio: Float32Array;
}

const AUDIO = /\.(wav|mp3|ogg|oga|opus|flac|m4a)$/i;
/** Four hours of 32-bit samples: more than any recording that is meant here. */
const MOST_BYTES = 4 * 3600 * SAMPLE_RATE_HZ * 4;

/**
 * All audio files in a folder and below it, by name.
 * @throws Error where there is none, no ffmpeg, or one that it cannot read.
 */
export async function audioFiles(folder: string): Promise<AudioFile[]> {
  const ffmpeg = await findFfmpeg(process.env.PATH ?? '');
  if (!ffmpeg) throw new Error('ffmpeg is not in the PATH');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => AUDIO.test(name));
  if (names.length === 0) throw new Error(`${folder}: no audio files`);
  return names
    .sort()
    .map((name) => join(folder, name))
    .map((path) => ({ path, audio: decoded(ffmpeg.command, path) }));
}

function decoded(ffmpeg: string, path: string): Float32Array {
  const format = ['-f', 'f32le', '-ac', '1', '-ar', String(SAMPLE_RATE_HZ), '-'];
  const bytes = execFileSync(ffmpeg, ['-v', 'error', '-i', path, ...format], { maxBuffer: MOST_BYTES });
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
