import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ModelError } from './model-error.ts';

/** A file as it is on disk. */
export interface FileHash {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What was hashed, and what the file looked like then. */
const stampsSchema = z.record(
  z.string(),
  z.object({ bytes: z.number(), modifiedMs: z.number(), inode: z.number(), sha256: z.string() }),
);
type Stamps = z.output<typeof stampsSchema>;

/**
 * Hashes files of a folder with SHA-256, streamed.
 *
 * @param stampFolder Where to remember the hashes: a file whose size, time of change and inode are as before is
 * not read again. That finds damage and mistakes; it does not stop someone who wants to deceive.
 * @throws ModelError `missing` where a file is not there.
 */
export async function hashFiles(
  folder: string,
  names: readonly string[],
  stampFolder?: string,
): Promise<Map<string, FileHash>> {
  const stampFile = stampFolder && join(stampFolder, `${sha256(resolve(folder)).slice(0, 16)}.json`);
  const before: Stamps = stampFile ? await readStamps(stampFile) : {};
  const after: Stamps = {};
  for (const name of names) {
    const path = join(folder, name);
    const { size, mtimeMs, ino } = await stat(path).catch((error) => {
      throw new ModelError('missing', `${path} is not there`, error);
    });
    const stamp = before[name];
    const known = stamp?.bytes === size && stamp.modifiedMs === mtimeMs && stamp.inode === ino;
    after[name] = known
      ? stamp
      : { bytes: size, modifiedMs: mtimeMs, inode: ino, sha256: await hashFile(path) };
  }
  if (stampFile && JSON.stringify(before) !== JSON.stringify(after)) await writeStamps(stampFile, after);
  return new Map(Object.entries(after).map(([name, { bytes, sha256 }]) => [name, { bytes, sha256 }]));
}

/** Of a short text, hexadecimal. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Of a whole file, streamed; hexadecimal.
 *
 * @param head Hashed before the file's own bytes.
 */
export async function hashFile(path: string, algorithm = 'sha256', head = ''): Promise<string> {
  const hash = createHash(algorithm).update(head);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Stamps that cannot be read are as good as none: everything is hashed again. */
async function readStamps(file: string): Promise<Stamps> {
  try {
    return stampsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

async function writeStamps(file: string, stamps: Stamps): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify(stamps));
  await rename(temporary, file);
}
