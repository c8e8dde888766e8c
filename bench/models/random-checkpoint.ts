/** Checkpoints of any size with random weights, in packed form: speed depends on shapes, not on values. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../../src/whisper/weights/checkpoint.ts';
import type { WhisperConfig } from '../../src/whisper/weights/config.ts';
import { readConfig } from '../../src/whisper/weights/config-files.ts';
import { packCheckpoint } from '../../src/whisper/weights/packed.ts';
import type { QuantisedRows } from '../../src/whisper/weights/quantise.ts';
import { expectedTensors } from '../../src/whisper/weights/tensor-names.ts';
import type { ModelSize } from './sizes.ts';

/** Layers' feed-forward blocks are so many times as wide as the model. */
const FFN_FACTOR = 4;
/** The spread of integers that are evenly spread over −127…127. */
const INTEGER_DEVIATION = 73;
/** Of everything that is neither a matrix nor a norm's gain. */
const OTHER_DEVIATION = 0.02;
/** Where large-v3 put Cantonese, moving all that came after by one. */
const CANTONESE_ID = 50_358;

/**
 * Writes a checkpoint that our loader takes for a Whisper of this size. The same size gives the same weights.
 * @param folder Where it goes; its last name becomes the model's.
 * @param modelFolder A multilingual Whisper whose tokenizer is used.
 */
export async function writeRandomCheckpoint(
  size: ModelSize,
  folder: string,
  modelFolder: string,
): Promise<WhisperConfig> {
  const plain = `${folder}.plain`;
  await mkdir(plain, { recursive: true });
  const json = (name: string, value: unknown) => writeFile(join(plain, name), JSON.stringify(value));
  await json('config.json', configOf(size));
  await json('generation_config.json', { is_multilingual: true, alignment_heads: alignmentHeads(size) });
  await json('tokenizer.json', await tokenizerFor(size, modelFolder));
  await json('tokenizer_config.json', {});
  const config = await readConfig(plain);
  await packCheckpoint(randomWeights(plain, config), folder);
  return config;
}

const configOf = ({ dModel, heads, encoderLayers, decoderLayers, mels, vocabSize }: ModelSize) => ({
  model_type: 'whisper',
  d_model: dModel,
  encoder_layers: encoderLayers,
  decoder_layers: decoderLayers,
  encoder_attention_heads: heads,
  decoder_attention_heads: heads,
  encoder_ffn_dim: FFN_FACTOR * dModel,
  decoder_ffn_dim: FFN_FACTOR * dModel,
  vocab_size: vocabSize,
  num_mel_bins: mels,
});

/** Spread over the upper half of the decoder, as the real ones are. */
function alignmentHeads({ alignmentHeads: count, decoderLayers, heads }: ModelSize): [number, number][] {
  const from = decoderLayers >> 1;
  const layers = decoderLayers - from;
  return Array.from({ length: count }, (_, at) => [from + (at % layers), Math.floor(at / layers) % heads]);
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
}

async function tokenizerFor({ vocabSize }: ModelSize, modelFolder: string): Promise<object> {
  const json = JSON.parse(await readFile(join(modelFolder, 'tokenizer.json'), 'utf8')) as {
    added_tokens: AddedToken[];
  };
  if (vocabSize === 51_865) return json;
  const moved = json.added_tokens.map((token) =>
    token.id < CANTONESE_ID ? token : { ...token, id: token.id + 1 },
  );
  return { ...json, added_tokens: [...moved, { ...moved[0]!, id: CANTONESE_ID, content: '<|yue|>' }] };
}

/** A checkpoint whose weights are made when they are asked for. */
function randomWeights(folder: string, config: WhisperConfig): Checkpoint {
  const tensors = expectedTensors(config);
  const shape = (tensor: string): readonly number[] => tensors.get(tensor)!.shape;
  const length = (tensor: string): number => shape(tensor).reduce((product, side) => product * side, 1);
  return {
    folder,
    name: 'random',
    config,
    tokenizerPath: join(folder, 'tokenizer.json'),
    tokenizerConfigPath: join(folder, 'tokenizer_config.json'),
    has: (tensor) => tensors.has(tensor),
    shape,
    floats: async (tensor) => {
      if (tensor.endsWith('norm.weight')) return new Float32Array(length(tensor)).fill(1);
      const integers = randomIntegers(length(tensor), seedOf(tensor));
      return Float32Array.from(integers, (value) => (OTHER_DEVIATION * value) / INTEGER_DEVIATION);
    },
    // Scaled so that a layer gives numbers of the size it is given.
    quantised: async (tensor): Promise<QuantisedRows> => {
      const [rows, columns] = shape(tensor) as [number, number];
      const scale = 1 / (INTEGER_DEVIATION * Math.sqrt(columns));
      return {
        values: randomIntegers(length(tensor), seedOf(tensor)),
        scales: new Float32Array(rows).fill(scale),
      };
    },
  };
}

/** Never zero, from which the generator would not get away. */
const seedOf = (name: string): number =>
  [...name].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) | 0, 7) | 1;

/** −127…127, four to each step of the generator (Marsaglia, 2003, "Xorshift RNGs"). */
function randomIntegers(count: number, seed: number): Int8Array {
  const words = new Int32Array(Math.ceil(count / 4));
  let state = seed;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  const integers = new Int8Array(words.buffer, 0, count);
  for (let at = 0; at < count; at++) if (integers[at] === -128) integers[at] = 0;
  return integers;
}
