import { join } from 'node:path';
import { hashFiles, sha256 } from './hashes.ts';
import { readManifest } from './manifest.ts';
import { ModelError } from './model-error.ts';

/**
 * Checks a model's files against the `manifest.json` in its folder, before anything is loaded from them.
 *
 * @param stampFolder Where to remember what was checked, so that the next start need not read it all again.
 * @returns A fingerprint of the files' contents; null where the folder has no manifest, so that there was
 * nothing to check against.
 * @throws ModelError `missing` or `damaged`, naming the first file that is not what it should be.
 */
export async function verifyModel(folder: string, stampFolder?: string): Promise<string | null> {
  const manifest = await readManifest(folder);
  if (!manifest) return null;
  const names = Object.keys(manifest.files).sort();
  const found = await hashFiles(folder, names, stampFolder);
  for (const name of names) {
    const expected = manifest.files[name]!;
    const actual = found.get(name)!;
    if (actual.bytes !== expected.bytes)
      throw new ModelError(
        'damaged',
        `${join(folder, name)} has ${actual.bytes} bytes, its manifest says ${expected.bytes}`,
      );
    if (actual.sha256 !== expected.sha256)
      throw new ModelError('damaged', `${join(folder, name)} is damaged: its SHA-256 is not the manifest's`);
  }
  return fingerprint(found);
}

/** One hash for a set of files. */
export function fingerprint(files: ReadonlyMap<string, { readonly sha256: string }>): string {
  const lines = [...files].map(([name, file]) => `${name} ${file.sha256}`);
  return sha256(lines.sort().join('\n'));
}
