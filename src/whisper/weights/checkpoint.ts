/**
 * A Hugging Face Whisper checkpoint in a folder: `config.json`, `generation_config.json` (optional),
 * `tokenizer.json` and the weights, in one safetensors file or in shards. Half, bfloat16 and single precision
 * are read alike, and so is our packed form (`packed.ts`).
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../../models/model-error.ts';
import type { WhisperConfig } from './config.ts';
import { readConfig } from './config-files.ts';
import { fromBfloat, fromHalf } from './floats.ts';
import { dequantiseRows, type QuantisedRows, quantiseRows } from './quantise.ts';
import { readTensor, readTensorEntries, type TensorEntry } from './safetensors.ts';
import { expectedTensors, UNTIED_HEAD } from './tensor-names.ts';

/** What the scales of a packed tensor are called: its own name and this. */
export const SCALES_SUFFIX = '.scales';

/**
 * An open checkpoint. It holds no file open and no weight in memory; every method reads from disk. Names are
 * Hugging Face's without the leading `model.`.
 */
export interface Checkpoint {
  /** Absolute. */
  readonly folder: string;
  /** The folder's own name, e.g. `whisper-base`. */
  readonly name: string;
  readonly config: WhisperConfig;
  readonly tokenizerPath: string;
  /** May not exist. */
  readonly tokenizerConfigPath: string;
  has(tensor: string): boolean;
  shape(tensor: string): readonly number[];
  /** The numbers of a tensor, row-major. */
  floats(tensor: string): Promise<Float32Array>;
  /**
   * A matrix with signed integers of at most `limit` and a scale for each row. Packed weights come as they are
   * where `limit` is 127, so nothing is rounded twice.
   */
  quantised(tensor: string, limit: number): Promise<QuantisedRows>;
}

/**
 * Opens a checkpoint and checks that all of a Whisper is there.
 *
 * @throws ModelError `missing`, `damaged` or `unsupported`, naming the file or tensor.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const path = resolve(folder);
  const config = await readConfig(path);
  const tensors = await readAllEntries(path);
  for (const [name, { shape }] of expectedTensors(config)) assertTensor(tensors, name, shape);
  if (tensors.has(UNTIED_HEAD)) assertTensor(tensors, UNTIED_HEAD, [config.vocabSize, config.dModel]);

  const entry = (tensor: string): TensorEntry => {
    const found = tensors.get(tensor);
    if (!found) throw new ModelError('damaged', `the weights lack ${tensor}`);
    return found;
  };
  const packed = async (tensor: string): Promise<QuantisedRows> => {
    const bytes = await readTensor(entry(tensor));
    return {
      values: new Int8Array(bytes.buffer),
      scales: await readFloats(entry(tensor + SCALES_SUFFIX)),
    };
  };
  const columns = (tensor: string) => entry(tensor).shape.at(-1)!;
  const floats = async (tensor: string) =>
    entry(tensor).dtype === 'I8'
      ? dequantiseRows(await packed(tensor), columns(tensor))
      : readFloats(entry(tensor));

  return {
    folder: path,
    name: basename(path),
    config,
    tokenizerPath: join(path, 'tokenizer.json'),
    tokenizerConfigPath: join(path, 'tokenizer_config.json'),
    has: (tensor) => tensors.has(tensor),
    shape: (tensor) => entry(tensor).shape,
    floats,
    quantised: async (tensor, limit) =>
      entry(tensor).dtype === 'I8' && limit === 127
        ? packed(tensor)
        : quantiseRows(await floats(tensor), columns(tensor), limit),
  };
}

async function readFloats(entry: TensorEntry): Promise<Float32Array> {
  const { buffer } = await readTensor(entry);
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return fromHalf(new Uint16Array(buffer));
    case 'BF16':
      return fromBfloat(new Uint16Array(buffer));
    default:
      throw new ModelError(
        'unsupported',
        `${basename(entry.path)} holds ${entry.dtype} where numbers belong`,
      );
  }
}

function assertTensor(
  tensors: ReadonlyMap<string, TensorEntry>,
  name: string,
  shape: readonly number[],
): void {
  const entry = tensors.get(name);
  if (!entry) throw new ModelError('damaged', `the weights lack ${name}, which config.json implies`);
  if (entry.shape.join() !== shape.join())
    throw new ModelError(
      'damaged',
      `${name} is [${entry.shape.join(', ')}], but config.json implies [${shape.join(', ')}]`,
    );
  if (entry.dtype === 'I8') assertTensor(tensors, name + SCALES_SUFFIX, shape.slice(0, 1));
  else if (entry.dtype !== 'F32' && entry.dtype !== 'F16' && entry.dtype !== 'BF16')
    throw new ModelError('unsupported', `${name} holds ${entry.dtype} numbers`);
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Every tensor of the folder, without the `model.` that some checkpoints begin their names with. */
async function readAllEntries(folder: string): Promise<Map<string, TensorEntry>> {
  const tensors = new Map<string, TensorEntry>();
  for (const file of await weightFiles(folder))
    for (const [name, entry] of await readTensorEntries(join(folder, file)))
      tensors.set(name.replace(/^model\./, ''), entry);
  return tensors;
}

/** The files that decide what the graphs of a checkpoint are. */
export async function checkpointFiles(folder: string): Promise<string[]> {
  const generation = await stat(join(folder, 'generation_config.json')).catch(() => null);
  const weights = await weightFiles(folder);
  return ['config.json', 'tokenizer.json', ...(generation ? ['generation_config.json'] : []), ...weights];
}

/** Where weights are: in one file, or in several that an index names. */
export const WEIGHTS = 'model.safetensors';
export const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** The files with weights: those that the index names, or the one there is. */
export async function weightFiles(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, WEIGHTS_INDEX), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return [WEIGHTS];
  const parsed = indexSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new ModelError('damaged', `${WEIGHTS_INDEX} is malformed`);
  const files = [...new Set(Object.values(parsed.data.weight_map))].sort();
  // The index comes with the download: it must not lead out of the folder.
  const stray = files.find((file) => file !== basename(file));
  if (stray) throw new ModelError('damaged', `${WEIGHTS_INDEX} names ${stray}, which is not in the folder`);
  return files;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
