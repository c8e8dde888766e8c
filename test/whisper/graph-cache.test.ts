import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { compiledGraphs } from '../../src/whisper/graph/cache.ts';
import { type Checkpoint, openCheckpoint } from '../../src/whisper/weights/checkpoint.ts';
import { packCheckpoint } from '../../src/whisper/weights/packed.ts';
import { tinyCheckpoint } from './tiny-checkpoint.ts';

const root = mkdtempSync(join(tmpdir(), 'graph-cache-'));
afterAll(() => rmSync(root, { recursive: true }));
let cache: string;
let checkpoint: Checkpoint;
let count = 0;

beforeEach(async () => {
  cache = join(root, `cache-${count}`);
  checkpoint = await openCheckpoint(await tinyCheckpoint(join(root, `tiny-${count++}`)));
});

const compiled = () => readdirSync(join(cache, 'graphs')).sort();

describe('the cache of compiled graphs', () => {
  it('compiles once and finds it again', async () => {
    const { encoderPath, decoderPath } = await compiledGraphs(checkpoint, 'int8', cache);
    for (const path of [encoderPath, decoderPath]) {
      expect(existsSync(path)).toBe(true);
      expect(existsSync(path.replace(/onnx$/, 'weights'))).toBe(true);
    }
    // What is found was not written again.
    writeFileSync(join(dirname(encoderPath), 'mark'), '');
    expect(await compiledGraphs(checkpoint, 'int8', cache)).toEqual({ encoderPath, decoderPath });
    expect(existsSync(join(dirname(encoderPath), 'mark'))).toBe(true);
  });

  it('keeps kinds and contents apart', async () => {
    await compiledGraphs(checkpoint, 'int8', cache);
    await compiledGraphs(checkpoint, 'fp32', cache);
    const other = await openCheckpoint(await tinyCheckpoint(checkpoint.folder, { untied: true }));
    await compiledGraphs(other, 'fp32', cache);
    expect(compiled()).toHaveLength(3);
  });

  it('gives everyone the same where several compile at once, and leaves nothing behind', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => compiledGraphs(checkpoint, 'fp32', cache)));
    expect(new Set(all.map(({ encoderPath }) => encoderPath)).size).toBe(1);
    expect(compiled()).toHaveLength(1);
  });

  it('leaves nothing behind where compiling fails, and compiles the next time', async () => {
    const broken: Checkpoint = {
      ...checkpoint,
      floats: async (tensor) => {
        if (tensor.startsWith('decoder')) throw new Error('the disk is gone');
        return checkpoint.floats(tensor);
      },
    };
    await expect(compiledGraphs(broken, 'fp32', cache)).rejects.toThrow('the disk is gone');
    expect(compiled()).toEqual([]);
    await compiledGraphs(checkpoint, 'fp32', cache);
    expect(compiled()).toHaveLength(1);
  });

  it('compiles nothing of a damaged model', async () => {
    await packCheckpoint(checkpoint, join(root, 'packed'));
    const packed = await openCheckpoint(join(root, 'packed'));
    writeFileSync(join(root, 'packed', 'generation_config.json'), '{}');
    await expect(compiledGraphs(packed, 'int8', cache)).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringMatching(/generation_config\.json/),
    });
  });

  it('removes what was not used for longest, and what was never finished', async () => {
    const graphs = join(cache, 'graphs');
    const old = (name: string, hours: number) => {
      mkdirSync(join(graphs, name), { recursive: true });
      const then = new Date(Date.now() - hours * 3_600_000);
      utimesSync(join(graphs, name), then, then);
    };
    for (let i = 1; i <= 6; i++) old(`model-${i}`, i);
    old('unfinished-old', 2);
    old('unfinished-new', 0);
    await compiledGraphs(checkpoint, 'int8', cache);
    const left = compiled().filter((name) => !name.startsWith(checkpoint.name));
    expect(left).toEqual(['model-1', 'model-2', 'model-3', 'model-4', 'model-5', 'unfinished-new']);
    expect(compiled()).toHaveLength(7);
  });
});
