/** Whether this machine has ffmpeg: it is wanted for some containers, and missed only by those. */
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { FfmpegCommand } from './ffmpeg.ts';

/**
 * Looks for `ffmpeg`; null where it is not there.
 * @param searchPath Folders as in PATH; relative ones are passed over.
 */
export async function findFfmpeg(searchPath: string): Promise<FfmpegCommand | null> {
  for (const folder of searchPath.split(delimiter).filter(isAbsolute)) {
    const command = join(folder, 'ffmpeg');
    try {
      await access(command, constants.X_OK);
      return { command };
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
