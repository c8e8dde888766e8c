import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { verifyModel } from '../../src/models/verify.ts';
import { openCheckpoint } from '../../src/whisper/weights/checkpoint.ts';
import { tinyCheckpoint } from '../whisper/tiny-checkpoint.ts';

const root = mkdtempSync(join(tmpdir(), 'pack-model-'));
afterAll(() => rmSync(root, { recursive: true }));
const entry = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'pack-model.js');
const pack = (...args: string[]) => spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8' });

describe('npm run model:pack', () => {
  it('packs a checkpoint and prints the hash of every file', async () => {
    const source = await tinyCheckpoint(join(root, 'source'));
    const { status, stdout } = pack(source, join(root, 'packed'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{64} {2}\d+ {2}config\.json$/m);
    expect(stdout).toMatch(/^[0-9a-f]{64} {2}\d+ {2}model\.safetensors$/m);
    expect(await verifyModel(join(root, 'packed'))).not.toBeNull();
    await openCheckpoint(join(root, 'packed'));
  });

  it('says what is wrong with a folder, and how it is called', () => {
    const { status, stderr } = pack(join(root, 'nowhere'), join(root, 'out'));
    expect(status).toBe(1);
    expect(stderr).toMatch(/config\.json is not there\n$/);
    expect(pack()).toMatchObject({ status: 2, stderr: expect.stringContaining('npm run model:pack') });
  });
});
