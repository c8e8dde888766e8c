/**
 * Compares the fp32 graphs compiled from a checkpoint with the stock ONNX export of the same weights, on the
 * fixtures: full context, greedy tokens, every logit.
 *
 *     node test/golden/compare-stock.mjs <checkpoint folder> <folder of the stock export>
 *
 * The export is optimum's: `onnx/encoder_model.onnx` and `onnx/decoder_model_merged.onnx`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WhisperFeatureExtractor } from '@huggingface/transformers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { compiledGraphs } from '../../dist/whisper/graph/cache.js';
import { layout } from '../../dist/whisper/graph/weighted-tail.js';
import { openCheckpoint } from '../../dist/whisper/weights/checkpoint.js';

const MAX_ERROR = 1e-2;
const MAX_TOKENS = 100;
const fixtures = join(import.meta.dirname, '..', 'fixtures');
const [checkpointFolder, stockFolder] = process.argv.slice(2);
if (!checkpointFolder || !stockFolder) {
  console.error('Usage: node compare-stock.mjs <checkpoint folder> <folder of the stock export>');
  process.exit(2);
}

const integers = (values, shape) => new Tensor('int64', BigInt64Array.from(values, BigInt), shape);

/** Logits of every token, by the graphs of this project. */
async function ours(config, paths) {
  const [encoder, decoder] = await Promise.all([
    InferenceSession.create(paths.encoderPath),
    InferenceSession.create(paths.decoderPath),
  ]);
  const nothing = () =>
    new Tensor('float32', [], [1, config.decoderHeads, 0, config.dModel / config.decoderHeads]);
  return async (mel) => {
    const { positions, keyBias } = layout(config.maxSourcePositions, 1);
    const bias = new Tensor('float32', keyBias, [1, 1, 1, positions.length]);
    const cross = await encoder.run({
      mel,
      positions: new Tensor('int64', positions, [positions.length]),
      key_bias: bias,
    });
    return async (tokens) => {
      const order = [...tokens.keys()];
      const inputs = { ...cross, key_bias: bias, tokens: integers(tokens, [1, tokens.length]) };
      inputs.positions = inputs.rows = integers(order, [order.length]);
      for (const name of decoder.inputNames) if (name.startsWith('past_')) inputs[name] = nothing();
      return (await decoder.run(inputs, ['logits'])).logits.data;
    };
  };
}

/** The same by the stock export. */
async function stock(config, folder) {
  const [encoder, decoder] = await Promise.all([
    InferenceSession.create(join(folder, 'onnx/encoder_model.onnx')),
    InferenceSession.create(join(folder, 'onnx/decoder_model_merged.onnx')),
  ]);
  const nothing = () =>
    new Tensor('float32', [], [1, config.decoderHeads, 0, config.dModel / config.decoderHeads]);
  return async (mel) => {
    const { last_hidden_state: encoded } = await encoder.run({ input_features: mel });
    return async (tokens) => {
      const inputs = {
        input_ids: integers(tokens, [1, tokens.length]),
        encoder_hidden_states: encoded,
        use_cache_branch: new Tensor('bool', [false], [1]),
      };
      for (const name of decoder.inputNames) if (name.startsWith('past_')) inputs[name] = nothing();
      return (await decoder.run(inputs, ['logits'])).logits.data;
    };
  };
}

/** Greedy decoding without timestamps. */
async function greedy(decode, { tokens, languages, suppressTokens, beginSuppressTokens, vocabSize }) {
  const start = [tokens.startOfTranscript, languages.en, tokens.transcribe, tokens.noTimestamps];
  const said = [...start];
  while (said.length < MAX_TOKENS && said.at(-1) !== tokens.endOfText) {
    const row = (await decode(said)).slice(-vocabSize);
    for (const token of suppressTokens) row[token] = -Infinity;
    if (said.length === start.length) for (const token of beginSuppressTokens) row[token] = -Infinity;
    row.fill(-Infinity, tokens.firstTimestamp);
    said.push(row.reduce((best, value, i) => (value > row[best] ? i : best), 0));
  }
  return said;
}

const { config, ...checkpoint } = await openCheckpoint(checkpointFolder);
const extractor = new WhisperFeatureExtractor({
  feature_size: config.mels,
  sampling_rate: 16_000,
  n_fft: 400,
  hop_length: 160,
  chunk_length: 30,
  n_samples: 480_000,
  nb_max_frames: 3000,
});
const cache = mkdtempSync(join(tmpdir(), 'compare-stock-'));
let failed = false;
try {
  const paths = await compiledGraphs({ config, ...checkpoint }, 'fp32', cache);
  const encoders = [await ours(config, paths), await stock(config, stockFolder)];
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith('.wav'))) {
    const samples = new Int16Array(readFileSync(join(fixtures, file)).buffer.slice(44));
    const { input_features } = await extractor(Float32Array.from(samples, (sample) => sample / 32_768));
    const mel = new Tensor('float32', input_features.data, [1, config.mels, 3000]);
    const [mine, theirs] = await Promise.all(encoders.map((encode) => encode(mel)));
    const said = await greedy(theirs, config);
    const same = said.join() === (await greedy(mine, config)).join();
    const [a, b] = [await mine(said), await theirs(said)];
    const error = a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
    failed ||= !same || !(error < MAX_ERROR);
    console.log(
      `${file}: ${said.length} tokens, ${same ? 'the same' : 'NOT THE SAME'}; largest error of ${a.length} logits ${error.toExponential(1)}`,
    );
  }
} finally {
  rmSync(cache, { recursive: true });
}
process.exitCode = failed ? 1 : 0;
