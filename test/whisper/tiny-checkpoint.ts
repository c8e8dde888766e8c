/** Whisper checkpoints of a few kilobytes with random weights, in every form that checkpoints come in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dtype } from '../../src/whisper/weights/safetensors.ts';
import { type TensorSource, writeSafetensors } from '../../src/whisper/weights/safetensors-writer.ts';

export interface TinyOptions {
  readonly dtype?: 'F32' | 'F16' | 'BF16';
  readonly mels?: number;
  readonly encoderHeads?: number;
  readonly decoderHeads?: number;
  /** A head of its own instead of the token embedding. */
  readonly untied?: boolean;
  readonly shards?: number;
  /** What Hugging Face's names begin with. */
  readonly prefix?: string;
  /** Overrides of config.json and generation_config.json; null writes no generation_config.json. */
  readonly config?: Record<string, unknown>;
  readonly generation?: Record<string, unknown> | null;
  readonly addedTokens?: Record<string, number>;
}

export const TINY = { d: 24, ffn: 40, encoderLayers: 2, decoderLayers: 3, vocab: 70, source: 20, target: 16 };

export const SPECIAL_TOKENS: Record<string, number> = {
  '<|endoftext|>': 50,
  '<|startoftranscript|>': 51,
  '<|en|>': 52,
  '<|ko|>': 53,
  '<|haw|>': 54,
  '<|translate|>': 55,
  '<|transcribe|>': 56,
  '<|startoflm|>': 57,
  '<|startofprev|>': 58,
  '<|nocaptions|>': 59,
  '<|notimestamps|>': 60,
};

/** Writes a checkpoint and gives its folder. The same seed gives the same weights in every form. */
export async function tinyCheckpoint(folder: string, options: TinyOptions = {}): Promise<string> {
  const { dtype = 'F32', mels = 80, prefix = 'model.', shards = 1, untied = false } = options;
  mkdirSync(folder, { recursive: true });
  const json = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  json('config.json', {
    model_type: 'whisper',
    d_model: TINY.d,
    encoder_layers: TINY.encoderLayers,
    decoder_layers: TINY.decoderLayers,
    encoder_attention_heads: options.encoderHeads ?? 3,
    decoder_attention_heads: options.decoderHeads ?? 2,
    encoder_ffn_dim: TINY.ffn,
    decoder_ffn_dim: TINY.ffn,
    vocab_size: TINY.vocab,
    num_mel_bins: mels,
    max_source_positions: TINY.source,
    max_target_positions: TINY.target,
    ...options.config,
  });
  if (options.generation !== null)
    json('generation_config.json', {
      is_multilingual: true,
      alignment_heads: [
        [2, 1],
        [0, 0],
      ],
      suppress_tokens: [1, 2],
      begin_suppress_tokens: [3],
      ...options.generation,
    });
  const added = Object.entries(options.addedTokens ?? SPECIAL_TOKENS);
  json('tokenizer.json', { added_tokens: added.map(([content, id]) => ({ id, content })) });
  json('tokenizer_config.json', {});

  const sources = [...shapes(mels, untied)].map(([name, shape]) => {
    const tensor = name === 'proj_out.weight' ? name : prefix + name;
    return source(tensor, dtype, shape, randomValues(name, shape));
  });
  if (shards === 1) {
    await writeSafetensors(join(folder, 'model.safetensors'), sources);
    return folder;
  }
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${shard + 1}-of-${shards}.safetensors`;
    const mine = sources.filter((_, i) => i % shards === shard);
    await writeSafetensors(join(folder, file), mine);
    for (const { name } of mine) weightMap[name] = file;
  }
  json('model.safetensors.index.json', { metadata: {}, weight_map: weightMap });
  return folder;
}

/** Shapes as Hugging Face's WhisperModel has them, written down apart from the code under test. */
function shapes(mels: number, untied: boolean): Map<string, number[]> {
  const { d, ffn } = TINY;
  const all = new Map<string, number[]>();
  const biased = (name: string, ...shape: number[]) => {
    all.set(`${name}.weight`, shape);
    all.set(`${name}.bias`, [shape[0]!]);
  };
  const attention = (name: string) => {
    for (const part of ['q_proj', 'v_proj', 'out_proj']) biased(`${name}.${part}`, d, d);
    all.set(`${name}.k_proj.weight`, [d, d]);
    biased(`${name}_layer_norm`, d);
  };
  const layer = (name: string, attentions: string[]) => {
    for (const each of attentions) attention(`${name}.${each}`);
    biased(`${name}.fc1`, ffn, d);
    biased(`${name}.fc2`, d, ffn);
    biased(`${name}.final_layer_norm`, d);
  };
  biased('encoder.conv1', d, mels, 3);
  biased('encoder.conv2', d, d, 3);
  all.set('encoder.embed_positions.weight', [TINY.source, d]);
  for (let i = 0; i < TINY.encoderLayers; i++) layer(`encoder.layers.${i}`, ['self_attn']);
  biased('encoder.layer_norm', d);
  all.set('decoder.embed_tokens.weight', [TINY.vocab, d]);
  all.set('decoder.embed_positions.weight', [TINY.target, d]);
  for (let i = 0; i < TINY.decoderLayers; i++) layer(`decoder.layers.${i}`, ['self_attn', 'encoder_attn']);
  biased('decoder.layer_norm', d);
  if (untied) all.set('proj_out.weight', [TINY.vocab, d]);
  return all;
}

/** Multiples of 1/128 with few bits: exact in single, half and bfloat16 alike. Norms are about one. */
function randomValues(name: string, shape: readonly number[]): Float32Array {
  let state = [...name].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) | 0, 7);
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return ((state >>> 8) & 63) - 32;
  };
  const length = shape.reduce((product, side) => product * side, 1);
  const isGain = name.endsWith('norm.weight');
  return Float32Array.from({ length }, () => (isGain ? 1 + random() / 64 : random() / 128));
}

function source(name: string, dtype: Dtype, shape: readonly number[], values: Float32Array): TensorSource {
  const bytes = encode(values, dtype);
  return { name, dtype, shape, byteLength: bytes.byteLength, load: async () => bytes };
}

function encode(values: Float32Array, dtype: Dtype): Uint8Array {
  const bytes = Buffer.alloc(values.length * (dtype === 'F32' ? 4 : 2));
  for (const [i, value] of values.entries()) {
    if (dtype === 'F32') bytes.writeFloatLE(value, 4 * i);
    else if (dtype === 'BF16') {
      const single = Buffer.alloc(4);
      single.writeFloatLE(value);
      single.copy(bytes, 2 * i, 2, 4);
    } else bytes.writeUInt16LE(halfBits(value), 2 * i);
  }
  return bytes;
}

/** Of a number that half precision has exactly and that is no smaller than its normal range. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}
