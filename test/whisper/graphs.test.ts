/** Graphs of tiny models in every form, against a plain implementation. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { compiledGraphs } from '../../src/whisper/graph/cache.ts';
import { crossIo, type GraphKind, memoryIo, memoryNames } from '../../src/whisper/graph/contract.ts';
import { layout, type TailLayout } from '../../src/whisper/graph/weighted-tail.ts';
import { openCheckpoint } from '../../src/whisper/weights/checkpoint.ts';
import { packCheckpoint } from '../../src/whisper/weights/packed.ts';
import { reference } from './reference.ts';
import { largestDifference, runGraphs } from './run-graphs.ts';
import { TINY, type TinyOptions, tinyCheckpoint } from './tiny-checkpoint.ts';

const root = mkdtempSync(join(tmpdir(), 'graphs-'));
afterAll(() => rmSync(root, { recursive: true }));

const FULL = layout(TINY.source, 1, TINY.source);
const TOKENS = [51, 52, 56, 60, 7, 11, 13];
let folders = 0;

/** Something that is no silence anywhere, [mels][frames]. */
const spectrum = (mels: number, frames: number): number[][] =>
  Array.from({ length: mels }, (_, band) =>
    Array.from({ length: frames }, (_, frame) => Math.fround(Math.sin(band * 0.7 + frame * 0.31))),
  );
const flat = (mel: number[][]): Float32Array => Float32Array.from(mel.flat());

async function make(options: TinyOptions = {}, kind: GraphKind = 'fp32') {
  const folder = await tinyCheckpoint(join(root, `tiny-${folders++}`), options);
  return load(folder, kind);
}

async function load(folder: string, kind: GraphKind) {
  const checkpoint = await openCheckpoint(folder);
  const graphs = await runGraphs(
    await compiledGraphs(checkpoint, kind, join(root, 'cache')),
    checkpoint.config,
  );
  const logits = async (tail: TailLayout = FULL): Promise<Float32Array[]> => {
    const mel = spectrum(checkpoint.config.mels, 2 * tail.positions.length);
    return (await graphs.decode(await graphs.encode(flat(mel), tail), { tokens: TOKENS })).logits;
  };
  return { checkpoint, graphs, logits };
}

const differenceOfRows = (a: ArrayLike<number>[], b: ArrayLike<number>[]): number =>
  Math.max(...a.map((row, i) => largestDifference(row, b[i]!)));

describe('fp32 graphs', () => {
  it.each<[string, TinyOptions]>([
    ['a plain checkpoint', {}],
    ['128 mel bands', { mels: 128 }],
    ['heads of other widths', { encoderHeads: 6, decoderHeads: 4 }],
    ['a head of its own', { untied: true }],
  ])('compute what Whisper is for %s', async (_, options) => {
    const { checkpoint, logits } = await make(options);
    const plain = reference(checkpoint);
    const mel = spectrum(checkpoint.config.mels, 2 * TINY.source);
    const encoded = await plain.encode(mel, [...FULL.positions].map(Number));
    const expected = await plain.decode(encoded, TOKENS);
    expect(differenceOfRows(await logits(), expected)).toBeLessThan(1e-4);
    expect(Math.max(...expected.flat()) - Math.min(...expected.flat())).toBeGreaterThan(1);
  });

  it('take the same numbers from every form of a checkpoint', async () => {
    const { logits } = await make();
    const forms: TinyOptions[] = [{ dtype: 'F16' }, { dtype: 'BF16' }, { shards: 3 }, { prefix: '' }];
    for (const form of forms) expect(await (await make(form)).logits()).toEqual(await logits());
  });

  it('weigh a tail position as the run of positions that it stands for', async () => {
    const { checkpoint, logits } = await make();
    const tail = layout(6, 5, TINY.source);
    const runs = Array.from(tail.keyBias, (bias) => Math.round(Math.exp(bias)));
    expect(runs).toEqual([1, 1, 1, 1, 1, 1, 5, 5, 4]);

    const plain = reference(checkpoint);
    const mel = spectrum(checkpoint.config.mels, 2 * runs.length);
    const positions = [...tail.positions].map(Number);
    const asRuns = await plain.decode(await plain.encode(mel, positions, runs), TOKENS);
    const asOnes = await plain.decode(await plain.encode(mel, positions), TOKENS);
    expect(differenceOfRows(await logits(tail), asRuns)).toBeLessThan(1e-4);
    expect(differenceOfRows(asOnes, asRuns)).toBeGreaterThan(1e-2);
  });
});

describe('the encoder', () => {
  it('gives the same for some positions when it is told what others left as when it encodes them all', async () => {
    const { checkpoint, graphs } = await make();
    const { config } = checkpoint;
    const mel = spectrum(config.mels, 2 * TINY.source);
    const whole = await graphs.encodePart(flat(mel), { ...FULL, lead: 0 });
    const rowsOf = (name: string, from: number, to: number): Float32Array =>
      (whole[memoryIo.fresh(name)]!.data as Float32Array).slice(from * config.dModel, to * config.dModel);

    // The past in another order: silent runs may stand before real positions.
    const [known, lead] = [12, 2];
    const past = (name: string) => {
      const rows = [...rowsOf(name, 5, known), ...rowsOf(name, 0, 5)];
      return new Tensor('float32', Float32Array.from(rows), [1, known, config.dModel]);
    };
    const part = await graphs.encodePart(flat(mel.map((band) => band.slice(2 * (known - lead)))), {
      lead,
      positions: FULL.positions.slice(known),
      keyBias: FULL.keyBias,
      past,
    });
    for (const name of memoryNames(config)) {
      const fresh = part[memoryIo.fresh(name)]!.data as Float32Array;
      expect(largestDifference(fresh, rowsOf(name, known, TINY.source)), name).toBeLessThan(1e-4);
    }
    expect(part[crossIo.key(0)]!.dims).toEqual(whole[crossIo.key(0)]!.dims);
  });
});

describe('the decoder', () => {
  it('gives the same whether tokens come at once, one by one, or after a draft that was wrong', async () => {
    const { checkpoint, graphs } = await make();
    const window = await graphs.encode(flat(spectrum(checkpoint.config.mels, 2 * TINY.source)), FULL);
    const atOnce = await graphs.decode(window, { tokens: TOKENS });

    let answer = await graphs.decode(window, { tokens: TOKENS.slice(0, 1) });
    const oneByOne = [...answer.logits];
    for (const [start, token] of TOKENS.entries()) {
      if (start === 0) continue;
      answer = await graphs.decode(window, { tokens: [token], start, past: answer.past });
      oneByOne.push(...answer.logits);
    }
    expect(differenceOfRows(oneByOne, atOnce.logits)).toBeLessThan(1e-4);

    const draft = [...TOKENS.slice(0, 4), 40, 41, 42, 43];
    const { past } = await graphs.decode(window, { tokens: draft });
    const corrected = await graphs.decode(window, { tokens: TOKENS.slice(4), start: 4, past });
    expect(differenceOfRows(corrected.logits, atOnce.logits.slice(4))).toBeLessThan(1e-4);
    expect(corrected.past.past_key_0!.dims).toEqual([1, 2, TOKENS.length, 12]);
  });

  it('gives logits of the rows asked for, in the order asked for', async () => {
    const { checkpoint, graphs } = await make();
    const window = await graphs.encode(flat(spectrum(checkpoint.config.mels, 2 * TINY.source)), FULL);
    const all = await graphs.decode(window, { tokens: TOKENS });
    const some = await graphs.decode(window, { tokens: TOKENS, rows: [6, 0] });
    expect(differenceOfRows(some.logits, [all.logits[6]!, all.logits[0]!])).toBeLessThan(1e-5);
  });

  it('tells where the alignment heads listen, by layer', async () => {
    const { checkpoint, graphs } = await make();
    const tail = layout(6, 5, TINY.source);
    const window = await graphs.encode(flat(spectrum(80, 2 * tail.positions.length)), tail);
    const { alignment } = await graphs.decode(window, { tokens: TOKENS });
    const T = tail.positions.length;
    expect(checkpoint.config.alignmentHeads).toEqual([
      [0, 0],
      [2, 1],
    ]);
    expect(alignment!.dims).toEqual([2, TOKENS.length, T]);
    for (let row = 0; row < 2 * TOKENS.length; row++) {
      const weights = alignment!.data.subarray(row * T, (row + 1) * T);
      expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    }
  });

  it('has no alignment where the checkpoint names no heads', async () => {
    const { checkpoint, graphs } = await make({ generation: { alignment_heads: [] } });
    const window = await graphs.encode(flat(spectrum(checkpoint.config.mels, 2 * TINY.source)), FULL);
    expect((await graphs.decode(window, { tokens: TOKENS })).alignment).toBeNull();
  });
});

describe('integer graphs', () => {
  it.each<[GraphKind, number]>([
    ['int8', 0.15],
    ['int7', 0.3],
  ])('of kind %s stay near fp32', async (kind, tolerance) => {
    const options = { untied: true, mels: 128 };
    const exact = await (await make(options)).logits();
    const rounded = await (await make(options, kind)).logits();
    const difference = differenceOfRows(rounded, exact);
    expect(difference).toBeLessThan(tolerance);
    expect(difference).toBeGreaterThan(0);
  });

  it('take packed integers as they are', async () => {
    const source = await openCheckpoint(await tinyCheckpoint(join(root, 'unpacked'), { untied: true }));
    await packCheckpoint(source, join(root, 'packed'));
    const [fromSource, fromPacked] = [
      await load(join(root, 'unpacked'), 'int8'),
      await load(join(root, 'packed'), 'int8'),
    ];
    expect(await fromPacked.logits()).toEqual(await fromSource.logits());
  });
});
