import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../../src/models/manifest.ts';
import { verifyModel } from '../../src/models/verify.ts';

const root = join(import.meta.dirname, '..', '..', 'models');
const models = readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory());
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const MAX_FILE_BYTES = 95_000_000;

describe.each(models)('the bundled model %s', (name) => {
  it('is what its manifest says', async () => {
    expect(await verifyModel(join(root, name))).toMatch(/^[0-9a-f]{64}$/);
  });

  it('lists every file that is loaded', async () => {
    const manifest = await readManifest(join(root, name));
    const files = readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        statSync(join(root, name, file)).isFile() && !/^(manifest\.json|README\.md|LICENSE)$/.test(file),
    );
    expect(Object.keys(manifest!.files).sort()).toEqual(files.sort());
  });

  it('fits a git host, and the README has its hashes right', async () => {
    const { files } = (await readManifest(join(root, name)))!;
    for (const [file, { bytes, sha256 }] of Object.entries(files)) {
      expect(bytes).toBeLessThan(MAX_FILE_BYTES);
      if (bytes > 5_000_000 || file.endsWith('.onnx'))
        expect(readme).toContain(`| \`${name}/${file}\` | ${bytes.toLocaleString('en')} | \`${sha256}\` |`);
    }
  });
});
