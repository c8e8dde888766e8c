/**
 * Our packed form of a checkpoint: about half of fp16, and what the integer graphs are made of. Matrices of
 * linear layers and the token embedding are signed 8-bit integers (dtype I8, magnitude at most 127) with one
 * scale a row (F32, the tensor's name and `.scales`); everything else is half precision. The files are valid
 * safetensors under Hugging Face's names.
 */
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, writeManifest } from '../../models/manifest.ts';
import { type Checkpoint, SCALES_SUFFIX, WEIGHTS, WEIGHTS_INDEX } from './checkpoint.ts';
import { toHalf } from './floats.ts';
import type { QuantisedRows } from './quantise.ts';
import { type TensorSource, writeSafetensors } from './safetensors-writer.ts';
import { expectedTensors, UNTIED_HEAD } from './tensor-names.ts';

/** Below what hosts of git repositories take. */
const MAX_FILE_BYTES = 94_000_000;
const LIMIT = 127;
const COPIED = ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'];

/**
 * Writes a checkpoint in packed form, with its configuration, tokenizer and a manifest.
 *
 * @param folder Made where it is not there; files in it are overwritten.
 * @param maxFileBytes The weights are divided among files no larger than this, headers aside; a tensor that is
 * larger has a file of its own.
 */
export async function packCheckpoint(
  checkpoint: Checkpoint,
  folder: string,
  maxFileBytes = MAX_FILE_BYTES,
): Promise<Manifest> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const name of COPIED) {
    const from = join(checkpoint.folder, name);
    if (!(await stat(from).catch(() => null))) continue;
    await copyFile(from, join(folder, name));
    files.push(name);
  }
  files.push(...(await writeWeights(packedTensors(checkpoint), folder, maxFileBytes)));

  return writeManifest(folder, files);
}

function packedTensors(checkpoint: Checkpoint): TensorSource[] {
  const tensors = [...expectedTensors(checkpoint.config)].flatMap(([name, { role, shape }]) =>
    role === 'other'
      ? [half(checkpoint, name, shape)]
      : integers(checkpoint, name, shape as [number, number]),
  );
  const head = UNTIED_HEAD;
  if (!checkpoint.has(head)) return tensors;
  return [...tensors, ...integers(checkpoint, head, checkpoint.shape(head) as [number, number])];
}

/** Hugging Face's name for a tensor. */
const fullName = (name: string): string => (name.startsWith(UNTIED_HEAD) ? name : `model.${name}`);

function half(checkpoint: Checkpoint, name: string, shape: readonly number[]): TensorSource {
  return {
    name: fullName(name),
    dtype: 'F16',
    shape,
    byteLength: shape.reduce((product, side) => product * side, 2),
    load: async () => bytesOf(toHalf(await checkpoint.floats(name))),
  };
}

function integers(checkpoint: Checkpoint, name: string, shape: readonly [number, number]): TensorSource[] {
  const [rows, columns] = shape;
  // The scales are written right after the integers: one matrix is kept for them.
  let quantised: Promise<QuantisedRows> | null = null;
  const load = () => (quantised ??= checkpoint.quantised(name, LIMIT));
  return [
    {
      name: fullName(name),
      dtype: 'I8',
      shape,
      byteLength: rows * columns,
      load: async () => bytesOf((await load()).values),
    },
    {
      name: fullName(name + SCALES_SUFFIX),
      dtype: 'F32',
      shape: [rows],
      byteLength: 4 * rows,
      load: async () => {
        const { scales } = await load();
        quantised = null;
        return bytesOf(scales);
      },
    },
  ];
}

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Fills one file after another; with more than one, an index says what is where. */
async function writeWeights(
  tensors: readonly TensorSource[],
  folder: string,
  maxFileBytes: number,
): Promise<string[]> {
  const shards: TensorSource[][] = [[]];
  let room = maxFileBytes;
  for (const tensor of tensors) {
    if (tensor.byteLength > room && shards.at(-1)!.length > 0) {
      shards.push([]);
      room = maxFileBytes;
    }
    shards.at(-1)!.push(tensor);
    room -= tensor.byteLength;
  }
  const metadata = { format: 'pt', packing: 'int8-rows' };
  if (shards.length === 1) {
    await writeSafetensors(join(folder, WEIGHTS), shards[0]!, metadata);
    return [WEIGHTS];
  }
  const digits = (value: number) => String(value).padStart(5, '0');
  const weightMap: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const file = `model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`;
    await writeSafetensors(join(folder, file), shard, metadata);
    for (const { name } of shard) weightMap[name] = file;
  }
  const totalBytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  await writeFile(
    join(folder, WEIGHTS_INDEX),
    `${JSON.stringify({ metadata: { total_size: totalBytes }, weight_map: weightMap }, null, 2)}\n`,
  );
  return [WEIGHTS_INDEX, ...new Set(Object.values(weightMap))];
}
