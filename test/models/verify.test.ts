import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { writeManifest } from '../../src/models/manifest.ts';
import { verifyModel } from '../../src/models/verify.ts';

const root = mkdtempSync(join(tmpdir(), 'verify-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder: string;
let stamps: string;
let count = 0;
const LONG_AGO_S = 1_600_000_000;

beforeEach(async () => {
  folder = join(root, `model-${count}`);
  stamps = join(root, `stamps-${count++}`);
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  writeFileSync(join(folder, 'config.json'), '{"a":1}');
  writeFileSync(join(folder, 'onnx', 'model.onnx'), 'weights');
  for (const name of ['config.json', 'onnx/model.onnx'])
    utimesSync(join(folder, name), LONG_AGO_S, LONG_AGO_S);
  await writeManifest(folder, ['config.json', 'onnx/model.onnx']);
});

/** Changes a byte and leaves size and time as they were. */
function damageUnseen(path: string): void {
  const bytes = readFileSync(path);
  bytes[0]! ^= 1;
  writeFileSync(path, bytes);
  utimesSync(path, LONG_AGO_S, LONG_AGO_S);
}

describe('verifying a model', () => {
  it('gives one fingerprint for the same contents, another for others', async () => {
    const before = await verifyModel(folder);
    expect(await verifyModel(folder, stamps)).toBe(before);
    appendFileSync(join(folder, 'config.json'), ' ');
    await writeManifest(folder, ['config.json', 'onnx/model.onnx']);
    expect(await verifyModel(folder, stamps)).not.toBe(before);
  });

  it('has nothing to say of a folder without a manifest', async () => {
    unlinkSync(join(folder, 'manifest.json'));
    expect(await verifyModel(folder)).toBeNull();
  });

  it('names a file that is damaged, too short or gone', async () => {
    damageUnseen(join(folder, 'onnx', 'model.onnx'));
    await expect(verifyModel(folder)).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(/onnx.model\.onnx is damaged/),
    });
    writeFileSync(join(folder, 'onnx', 'model.onnx'), 'weig');
    await expect(verifyModel(folder)).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(/has 4 bytes, its manifest says 7/),
    });
    unlinkSync(join(folder, 'onnx', 'model.onnx'));
    await expect(verifyModel(folder)).rejects.toMatchObject({
      reason: 'missing',
      message: expect.stringMatching(/model\.onnx/),
    });
  });

  it('does not read again what has not changed since', async () => {
    const before = await verifyModel(folder, stamps);
    damageUnseen(join(folder, 'config.json'));
    expect(await verifyModel(folder, stamps)).toBe(before);
    const later = LONG_AGO_S + 5;
    utimesSync(join(folder, 'config.json'), later, later);
    await expect(verifyModel(folder, stamps)).rejects.toMatchObject({ reason: 'damaged' });
  });

  it('reads everything again where what it remembers is damaged', async () => {
    const before = await verifyModel(folder, stamps);
    const [file] = readdirSync(stamps);
    writeFileSync(join(stamps, file!), '{"config.json":');
    expect(await verifyModel(folder, stamps)).toBe(before);
    damageUnseen(join(folder, 'config.json'));
    writeFileSync(join(stamps, file!), '');
    await expect(verifyModel(folder, stamps)).rejects.toMatchObject({ reason: 'damaged' });
  });

  it.each([
    ['no JSON', '{'],
    ['no hashes', '{"files":{"config.json":{"bytes":1,"sha256":"abc"}}}'],
    ['a path out of the folder', JSON.stringify({ files: { '../x': { bytes: 1, sha256: 'a'.repeat(64) } } })],
    ['an absolute path', JSON.stringify({ files: { '/x': { bytes: 1, sha256: 'a'.repeat(64) } } })],
  ])('refuses a manifest with %s', async (_, text) => {
    writeFileSync(join(folder, 'manifest.json'), text);
    await expect(verifyModel(folder)).rejects.toMatchObject({ reason: 'damaged' });
  });
});
