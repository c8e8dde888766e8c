import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { hashFiles } from './hashes.ts';
import { ModelError } from './model-error.ts';

/** The file beside a model's files that says what they are. */
const MANIFEST = 'manifest.json';

/** A file name, perhaps in a folder below; never a way out of the model's folder. */
const relativePath = z.string().regex(/^(?!.*(?:^|\/)\.\.?(?:\/|$))[^/\\:][^\\:]*$/);

const manifestSchema = z.object({
  files: z.record(relativePath, z.object({ bytes: z.int().nonnegative(), sha256: z.hex().length(64) })),
});

/** By path, relative to the model's folder and with `/`: each file's size and hash. */
export type Manifest = z.output<typeof manifestSchema>;

/**
 * What a model's folder says its files are; null where it says nothing.
 *
 * @throws ModelError `damaged` where the manifest itself cannot be read.
 */
export async function readManifest(folder: string): Promise<Manifest | null> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new ModelError('damaged', `the manifest of ${basename(folder)} is damaged`, error);
  }
}

/** Hashes files of a folder and says so in its manifest. */
export async function writeManifest(folder: string, names: readonly string[]): Promise<Manifest> {
  const manifest: Manifest = { files: Object.fromEntries(await hashFiles(folder, [...names].sort())) };
  await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
