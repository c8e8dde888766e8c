/** The graphs against the reference implementation; test/golden/README.md tells how its answers were made. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WhisperFeatureExtractor } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledGraphs } from '../../src/whisper/graph/cache.ts';
import { layout } from '../../src/whisper/graph/weighted-tail.ts';
import { type Checkpoint, openCheckpoint } from '../../src/whisper/weights/checkpoint.ts';
import { modelFolder } from './model-folder.ts';
import { type Answer, argmax, largestDifference, type RunningGraphs, runGraphs } from './run-graphs.ts';
import { samplesOf } from './speech.ts';

interface GoldenClip {
  /** Start tokens, what was said, end of text. */
  readonly tokens: readonly number[];
  /** Logits after each token but the last: the highest ones and those of `sampled`. */
  readonly rows: readonly {
    readonly top: readonly [token: number, logit: number][];
    readonly sampled: readonly number[];
  }[];
  /** By alignment head and token: where it listens most, and how much. */
  readonly alignment: {
    readonly position: readonly (readonly number[])[];
    readonly weight: readonly (readonly number[])[];
  };
}

const golden: { sampled: number[]; clips: Record<string, GoldenClip> } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'golden', 'whisper-base.json'), 'utf8'),
);
const START_TOKENS = 4;
const MAX_ERROR = 1e-2;

const extractor = new WhisperFeatureExtractor({
  feature_size: 80,
  sampling_rate: 16_000,
  n_fft: 400,
  hop_length: 160,
  chunk_length: 30,
  n_samples: 480_000,
  nb_max_frames: 3000,
});
const cache = mkdtempSync(join(tmpdir(), 'golden-'));
let checkpoint: Checkpoint;
let graphs: RunningGraphs;

beforeAll(async () => {
  checkpoint = await openCheckpoint(modelFolder);
  graphs = await runGraphs(await compiledGraphs(checkpoint, 'fp32', cache), checkpoint.config);
});
afterAll(async () => {
  await graphs.close();
  rmSync(cache, { recursive: true });
});

describe.each(Object.entries(golden.clips))('the fp32 graphs on %s', (file, clip) => {
  let window: Awaited<ReturnType<RunningGraphs['encode']>>;
  let answer: Answer;

  beforeAll(async () => {
    const { input_features: mel } = await extractor(samplesOf(file));
    window = await graphs.encode(mel.data as Float32Array, layout(1500, 1));
    answer = await graphs.decode(window, { tokens: clip.tokens.slice(0, -1) });
  });

  it('give the logits of the reference', () => {
    expect(answer.logits).toHaveLength(clip.rows.length);
    for (const [i, { top, sampled }] of clip.rows.entries()) {
      const row = answer.logits[i]!;
      const ofTop = top.map(([token]) => row[token]!);
      expect(
        largestDifference(
          ofTop,
          top.map(([, logit]) => logit),
        ),
      ).toBeLessThan(MAX_ERROR);
      expect(
        largestDifference(
          golden.sampled.map((token) => row[token]!),
          sampled,
        ),
      ).toBeLessThan(MAX_ERROR);
    }
  });

  it('say the same tokens, one at a time', async () => {
    const { suppressTokens, beginSuppressTokens, tokens: named } = checkpoint.config;
    const said = clip.tokens.slice(0, START_TOKENS);
    let { logits, past } = await graphs.decode(window, { tokens: said, rows: [said.length - 1] });
    while (said.at(-1) !== named.endOfText && said.length < clip.tokens.length) {
      const row = logits[0]!;
      const barred = said.length === START_TOKENS ? beginSuppressTokens : [];
      for (const token of [...suppressTokens, ...barred]) row[token] = Number.NEGATIVE_INFINITY;
      row.fill(Number.NEGATIVE_INFINITY, named.firstTimestamp);
      const token = argmax(row);
      ({ logits, past } = await graphs.decode(window, { tokens: [token], start: said.length, past }));
      said.push(token);
    }
    expect(said).toEqual(clip.tokens);
  });

  it('listen where the reference listens', () => {
    const { data, dims } = answer.alignment!;
    const [heads, tokens, positions] = dims as [number, number, number];
    expect([heads, tokens, positions]).toEqual([clip.alignment.position.length, clip.rows.length, 1500]);
    for (let head = 0; head < heads; head++)
      for (let token = 0; token < tokens; token++) {
        const weights = data.subarray((head * tokens + token) * positions).subarray(0, positions);
        expect(weights[clip.alignment.position[head]![token]!]).toBeCloseTo(
          clip.alignment.weight[head]![token]!,
          2,
        );
      }
  });
});
