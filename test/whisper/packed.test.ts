import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { verifyModel } from '../../src/models/verify.ts';
import { openCheckpoint } from '../../src/whisper/weights/checkpoint.ts';
import { packCheckpoint } from '../../src/whisper/weights/packed.ts';
import { expectedTensors } from '../../src/whisper/weights/tensor-names.ts';
import { tinyCheckpoint } from './tiny-checkpoint.ts';

const root = mkdtempSync(join(tmpdir(), 'packed-'));
afterAll(() => rmSync(root, { recursive: true }));
const source = tinyCheckpoint(join(root, 'source'), { untied: true });

describe('the packed form', () => {
  it('opens as the checkpoint that it was made of, within half a step of a row', async () => {
    const original = await openCheckpoint(await source);
    await packCheckpoint(original, join(root, 'whole'));
    const packed = await openCheckpoint(join(root, 'whole'));
    expect(packed.config).toEqual(original.config);
    const names = [...expectedTensors(original.config), ['proj_out.weight', { role: 'linear' }] as const];
    for (const [name, { role }] of names) {
      const [before, after] = [await original.floats(name), await packed.floats(name)];
      if (role === 'other') expect(after).toEqual(before);
      else {
        const step = Math.max(...before.map(Math.abs)) / 127;
        const error = Math.max(...before.map((value, i) => Math.abs(value - after[i]!)));
        expect(error).toBeLessThanOrEqual(step / 2 + 1e-6);
        expect(error).toBeGreaterThan(0);
      }
    }
  });

  it('comes out the same when it is packed again', async () => {
    await packCheckpoint(await openCheckpoint(await source), join(root, 'once'));
    await packCheckpoint(await openCheckpoint(join(root, 'once')), join(root, 'twice'));
    const file = 'model.safetensors';
    const [once, twice] = ['once', 'twice'].map((name) => readFileSync(join(root, name, file)));
    expect(twice!.equals(once!)).toBe(true);
  });

  it('is divided among files where it is too large for one', async () => {
    const limit = 12_000;
    const original = await openCheckpoint(await source);
    await packCheckpoint(original, join(root, 'divided'), limit);
    const files = readdirSync(join(root, 'divided')).filter((name) => name.endsWith('.safetensors'));
    expect(files.length).toBeGreaterThan(2);
    expect(files[0]).toBe(`model-00001-of-0000${files.length}.safetensors`);
    for (const file of files) {
      const path = join(root, 'divided', file);
      const headerBytes = 8 + Number(readFileSync(path).readBigUInt64LE());
      expect(statSync(path).size - headerBytes).toBeLessThanOrEqual(limit);
    }
    await packCheckpoint(original, join(root, 'undivided'));
    const [one, other] = [
      await openCheckpoint(join(root, 'divided')),
      await openCheckpoint(join(root, 'undivided')),
    ];
    for (const [name] of expectedTensors(original.config))
      expect(await one.floats(name)).toEqual(await other.floats(name));
    expect(await verifyModel(join(root, 'divided'))).not.toBeNull();
  });
});
