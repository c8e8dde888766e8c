/**
 * Reads what a checkpoint says of itself: config.json, generation_config.json and the added tokens of
 * tokenizer.json. The tokenizer is believed first for ids of tokens, because every Whisper has it and older
 * generation configurations lack half of them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../../models/model-error.ts';
import type { WhisperConfig, WhisperTokens } from './config.ts';

const size = z.int().positive();
const ids = z.array(z.int()).nullish();

const configSchema = z.object({
  model_type: z.string(),
  d_model: size,
  encoder_layers: size,
  decoder_layers: size,
  encoder_attention_heads: size,
  decoder_attention_heads: size,
  encoder_ffn_dim: size,
  decoder_ffn_dim: size,
  vocab_size: size,
  num_mel_bins: size.default(80),
  max_source_positions: size.default(1500),
  max_target_positions: size.default(448),
  activation_function: z.string().default('gelu'),
  suppress_tokens: ids,
  begin_suppress_tokens: ids,
});

const generationSchema = z.object({
  is_multilingual: z.boolean().optional(),
  alignment_heads: z.array(z.tuple([z.int(), z.int()])).nullish(),
  suppress_tokens: ids,
  begin_suppress_tokens: ids,
  lang_to_id: z.record(z.string(), z.int()).nullish(),
  max_initial_timestamp_index: z.int().nullish(),
});

const tokenizerSchema = z.object({
  added_tokens: z.array(z.object({ id: z.int(), content: z.string() })),
});

/** Vocabularies below this are English-only (OpenAI's `*.en` models have 51,864). */
const MULTILINGUAL_VOCABULARY = 51_865;
/** One second, as in OpenAI's decoder. */
const DEFAULT_MAX_INITIAL_TIMESTAMP = 50;

/**
 * @throws ModelError `missing` where config.json or tokenizer.json is not there, `damaged` where a file is
 * malformed, `unsupported` where the model is no Whisper.
 */
export async function readConfig(folder: string): Promise<WhisperConfig> {
  const config = check('config.json', configSchema, await readJson(folder, 'config.json'));
  if (config.model_type !== 'whisper')
    throw new ModelError('unsupported', `${folder} holds a ${config.model_type} model, not Whisper`);
  if (config.activation_function !== 'gelu')
    throw new ModelError('unsupported', `the activation ${config.activation_function} is not supported`);
  for (const heads of [config.encoder_attention_heads, config.decoder_attention_heads])
    if (config.d_model % heads !== 0)
      throw new ModelError('damaged', `config.json: ${heads} heads do not divide d_model ${config.d_model}`);

  const generation = check(
    'generation_config.json',
    generationSchema,
    (await readJson(folder, 'generation_config.json', { optional: true })) ?? {},
  );
  const tokenizer = check('tokenizer.json', tokenizerSchema, await readJson(folder, 'tokenizer.json'));
  const added = new Map(tokenizer.added_tokens.map(({ content, id }) => [content, id]));
  const multilingual = generation.is_multilingual ?? config.vocab_size >= MULTILINGUAL_VOCABULARY;

  return {
    dModel: config.d_model,
    encoderLayers: config.encoder_layers,
    decoderLayers: config.decoder_layers,
    encoderHeads: config.encoder_attention_heads,
    decoderHeads: config.decoder_attention_heads,
    encoderFfnDim: config.encoder_ffn_dim,
    decoderFfnDim: config.decoder_ffn_dim,
    mels: config.num_mel_bins,
    vocabSize: config.vocab_size,
    maxSourcePositions: config.max_source_positions,
    maxTargetPositions: config.max_target_positions,
    tokens: namedTokens(added, multilingual),
    languages: multilingual ? languages(added, generation.lang_to_id) : {},
    suppressTokens: generation.suppress_tokens ?? config.suppress_tokens ?? [],
    beginSuppressTokens: generation.begin_suppress_tokens ?? config.begin_suppress_tokens ?? [],
    alignmentHeads: generation.alignment_heads
      ? checkedHeads(generation.alignment_heads, config.decoder_layers, config.decoder_attention_heads)
      : upperHalf(config.decoder_layers, config.decoder_attention_heads),
    maxInitialTimestampIndex: generation.max_initial_timestamp_index ?? DEFAULT_MAX_INITIAL_TIMESTAMP,
  };
}

function namedTokens(added: ReadonlyMap<string, number>, multilingual: boolean): WhisperTokens {
  const idOf = (...names: string[]): number => {
    const found = names.map((name) => added.get(name)).find((id) => id !== undefined);
    if (found === undefined) throw new ModelError('unsupported', `tokenizer.json has no token ${names[0]}`);
    return found;
  };
  const noTimestamps = idOf('<|notimestamps|>');
  return {
    endOfText: idOf('<|endoftext|>'),
    startOfTranscript: idOf('<|startoftranscript|>'),
    startOfPrevious: idOf('<|startofprev|>'),
    noSpeech: idOf('<|nospeech|>', '<|nocaptions|>'),
    noTimestamps,
    firstTimestamp: added.get('<|0.00|>') ?? noTimestamps + 1,
    transcribe: multilingual ? idOf('<|transcribe|>') : null,
    translate: multilingual ? idOf('<|translate|>') : null,
  };
}

/** Codes without their brackets. `<|translate|>` and the like are too long to be taken for languages. */
function languages(
  added: ReadonlyMap<string, number>,
  given: Record<string, number> | null | undefined,
): Record<string, number> {
  const entries = given ? Object.entries(given) : [...added];
  return Object.fromEntries(
    entries.flatMap(([token, id]) => {
      const code = /^<\|([a-z]{2,3})\|>$/.exec(token)?.[1];
      return code ? [[code, id]] : [];
    }),
  );
}

/** All heads of the later layers: what OpenAI's code aligns with where nobody has looked for better ones. */
function upperHalf(layers: number, heads: number): [number, number][] {
  const from = Math.floor(layers / 2);
  return Array.from({ length: (layers - from) * heads }, (_, i) => [from + Math.floor(i / heads), i % heads]);
}

function checkedHeads(pairs: [number, number][], layers: number, heads: number): [number, number][] {
  const bad = pairs.find(([layer, head]) => layer < 0 || layer >= layers || head < 0 || head >= heads);
  if (bad) throw new ModelError('damaged', `generation_config.json: there is no alignment head ${bad}`);
  return pairs.sort(([a], [b]) => a - b);
}

async function readJson(folder: string, name: string, { optional = false } = {}): Promise<unknown> {
  const text = await readFile(join(folder, name), 'utf8').catch((error) => {
    if (optional && error.code === 'ENOENT') return null;
    throw new ModelError('missing', `${join(folder, name)} is not there`, error);
  });
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelError('damaged', `${name} is not JSON`, error);
  }
}

function check<S extends z.ZodType>(name: string, schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ModelError('damaged', `${name}: ${issue.path.join('.')}: ${issue.message}`);
}
