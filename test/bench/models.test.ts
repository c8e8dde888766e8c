/** Sizes of Whisper: each compiles and runs with random weights, and what they serve is worked out rightly. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { capacityOf } from '../../bench/models/capacity.ts';
import { type Costs, measureCosts } from '../../bench/models/costs.ts';
import { parseOptions } from '../../bench/models/options.ts';
import { writeRandomCheckpoint } from '../../bench/models/random-checkpoint.ts';
import { reportOf } from '../../bench/models/report.ts';
import { type ModelSize, SIZES } from '../../bench/models/sizes.ts';
import { speakersFor } from '../../src/whisper/capacity.ts';
import { EncoderMemory } from '../../src/whisper/encoder-memory.ts';
import { memoryNames } from '../../src/whisper/graph/contract.ts';
import { MEMORY_BYTES } from '../../src/whisper/model.ts';
import { prepareModel } from '../../src/whisper/prepare.ts';
import { openSessions } from '../../src/whisper/sessions.ts';
import { type ExpectedTensor, expectedTensors } from '../../src/whisper/weights/tensor-names.ts';
import { modelFolder } from '../whisper/model-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'models-'));
afterAll(() => rmSync(root, { recursive: true }));

/** One layer each is enough to see that all shapes fit, and takes a second rather than a minute. */
const shallow = (size: ModelSize): ModelSize => ({ ...size, encoderLayers: 1, decoderLayers: 1 });

/** What comes along with weights, or a little more. */
const TOKENIZER_BYTES = 5e6;

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

const sizeNamed = (name: string): ModelSize => SIZES.find((size) => size.name === name)!;

/** OpenAI's own count (README of openai/whisper; model card of large-v3-turbo). */
const MILLIONS: Record<string, number> = {
  tiny: 39,
  base: 74,
  small: 244,
  medium: 769,
  'large-v3-turbo': 809,
};

const countOf = ({ shape }: ExpectedTensor): number => shape.reduce((product, side) => product * side, 1);

describe('the sizes of Whisper', () => {
  it.each(SIZES.map((size) => [size.name, size] as const))('%s compiles and runs', async (name, size) => {
    const folder = join(root, `whisper-${name}`);
    const config = await writeRandomCheckpoint(shallow(size), folder, modelFolder);
    expect([config.mels, config.vocabSize]).toEqual(name === 'large-v3-turbo' ? [128, 51_866] : [80, 51_865]);
    const { encoderLayers, decoderLayers } = size;
    const whole = [...expectedTensors({ ...config, encoderLayers, decoderLayers }).values()];
    const millions = whole.reduce((sum, tensor) => sum + countOf(tensor), 0) / 1e6;
    expect(Math.abs(millions / MILLIONS[name]! - 1)).toBeLessThan(0.04);
    expect('yue' in config.languages).toBe(name === 'large-v3-turbo');
    const { modelName, plan } = await prepareModel(folder, join(root, 'cache'), 'int8');
    expect(modelName).toBe(`whisper-${name}`);

    // A byte for each number of a matrix; what is computed with as it is takes four at the most.
    const needed = [...expectedTensors(config).values()].reduce(
      (sum, tensor) => sum + (tensor.role === 'other' ? 4 : 1) * countOf(tensor),
      TOKENIZER_BYTES,
    );
    expect(bytesIn(folder)).toBeLessThan(1.05 * needed);
    // Graphs may hold the token embedding once to look tokens up, and turned round for the output.
    const twice = size.vocabSize * size.dModel;
    expect(bytesIn(dirname(plan.graphs.encoderPath))).toBeLessThan(1.05 * (needed + twice));

    const sessions = await openSessions(plan.graphs, config);
    const memory = new EncoderMemory(config, memoryNames(config).length);
    const window = memory.window(1, 'quick');
    const frames = 2 * (window.knownPositions + window.positions.length);
    const audio = Float32Array.from({ length: 16_000 }, (_, at) => 0.1 * Math.sin(at / 9));
    const mel = memory.features(audio).features(frames, 0);
    expect(mel.length).toBe(size.mels * frames);
    const { pass, fresh, listenedAt } = await sessions.encode({ mel, window, past: null, goesOn: true });
    expect(fresh.map((rows) => rows.length)).toEqual(
      Array.from({ length: 4 }, () => window.positions.length * size.dModel),
    );
    const rows = await pass([config.tokens.startOfTranscript, 1000], 0, [0, 1]);
    expect(rows.map((row) => row.length)).toEqual([size.vocabSize, size.vocabSize]);
    for (const row of rows) expect(row.every(Number.isFinite)).toBe(true);
    expect(listenedAt!(1)).toBeLessThan(window.freshPositions);
    await sessions.release();
  });

  it('are timed', async () => {
    const folder = join(root, 'whisper-timed');
    await writeRandomCheckpoint(shallow(sizeNamed('tiny')), folder, modelFolder);
    const { plan } = await prepareModel(folder, join(root, 'cache'), 'int8');
    const steps: string[] = [];
    const costs = await measureCosts(plan, { passes: [1, 1], budgetMs: 0 }, (step) => steps.push(step));
    for (const [name, value] of Object.entries(costs)) expect(value, name).toBeGreaterThan(0);
    expect(costs.encodeLongMs).toBeGreaterThan(costs.encodeGrownMs);
    expect(steps).toContain('a recording');
  });
});

describe('what a machine serves', () => {
  const costs: Costs = {
    encodeShortMs: 100,
    encodeLongMs: 500,
    encodeGrownMs: 40,
    encodeAnewMs: 80,
    draftMs: 20,
    tokenMs: 10,
    longTokenMs: 20,
    workerBytes: 1,
    keptBytes: 1,
  };

  it('follows from what passes cost', () => {
    expect(capacityOf(costs, 2)).toEqual({
      // 40 + 20 + 2 new tokens of 10 ms.
      partialsPerSecond: 2000 / 80,
      finalMs: 150,
      // A second of speech: 2 partials of 80 ms, or 1 of 100 ms, and a fifth of a final.
      speakers: { usual: Math.floor(1600 / 190), slowest: Math.floor(1600 / 130) },
      isLive: true,
      audioSecondsPerSecond: 56_000 / (500 + 20 + 112 * 20),
    });
  });

  it('is what a gateway says of itself when it starts', () => {
    const { partialsPerSecond, finalMs, speakers } = capacityOf(costs, 4);
    expect(speakers.usual).toBe(speakersFor({ partialMs: 4000 / partialsPerSecond, finalMs }, 4));
  });

  it('is less where a thread cannot remember every utterance', () => {
    const { speakers } = capacityOf({ ...costs, keptBytes: MEMORY_BYTES / 3.5 }, 2);
    expect(speakers.usual).toBe(7);
    const forgetful = capacityOf({ ...costs, keptBytes: MEMORY_BYTES }, 2);
    expect(forgetful.speakers.usual).toBe(Math.floor(1600 / (2 * 120 + 30)));
  });

  it('is nobody where a final takes more than a second, or the first speaker takes it all', () => {
    expect(capacityOf({ ...costs, encodeShortMs: 2000 }, 64).isLive).toBe(false);
    expect(
      capacityOf({ ...costs, encodeShortMs: 900, encodeGrownMs: 900, encodeAnewMs: 900 }, 1).isLive,
    ).toBe(false);
  });

  it('is told in a table that says what it does not measure', () => {
    const size = sizeNamed('small');
    const measured = { size, parameters: 242e6, costs, capacity: capacityOf(costs, 2), othersCores: 0.1 };
    const machine = { cpu: 'CPU', cores: 2, memoryGb: 8, node: 'v20', platform: 'linux x64', commit: null };
    const report = reportOf(
      { ...machine, date: '2026-01-01', loadBefore: 0 },
      [measured],
      ['medium was left out.'],
    );
    expect(report).toMatch(/^\| small \| 242 M \|.*\| yes \| 8 \/ 12 \|/m);
    expect(report).toContain('medium was left out.');
    expect(report).toMatch(/not how well/);
  });
});

describe('the command line', () => {
  it('takes sizes, smallest first, and all of them by default', () => {
    expect(parseOptions([]).sizes).toEqual(SIZES);
    expect(parseOptions(['--sizes', 'small, tiny']).sizes.map(({ name }) => name)).toEqual(['tiny', 'small']);
  });

  it.each(['huge', '', 'tiny,'])('refuses the size %j', (sizes) => {
    expect(() => parseOptions(['--sizes', sizes])).toThrow(/--sizes: there is no .*large-v3-turbo/);
  });
});
