import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';

/** A program that writes the microphone's sound to standard output: 16 kHz, mono, 16 bits, no header. */
export interface RecorderProgram {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
}

const RAW = ['-t', 'raw', '-r', '16000', '-c', '1', '-b', '16', '-e', 'signed-integer', '-L', '-'];

/** In the order in which they are tried. */
const PROGRAMS = [
  { name: 'arecord', args: ['-q', '-t', 'raw', '-f', 'S16_LE', '-r', '16000', '-c', '1'] },
  { name: 'rec', args: ['-q', ...RAW] },
  { name: 'sox', args: ['-q', '-d', ...RAW] },
] as const;

/** What to say where there is none. */
export const NO_RECORDER = `No program was found that can record. Install one of these:
  alsa-utils (arecord)   sudo apt-get install alsa-utils
  sox (rec)              sudo apt-get install sox, or on macOS: brew install sox`;

/** Looks for the first that is installed. @param searchPath Folders as in PATH. */
export async function findRecorder(searchPath: string): Promise<RecorderProgram | null> {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  for (const { name, args } of PROGRAMS)
    for (const folder of folders) {
      const path = join(folder, name);
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return { name, path, args };
    }
  return null;
}

/** Starts it: sound on standard output, complaints on standard error. */
export function record({ path, args }: RecorderProgram): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}
