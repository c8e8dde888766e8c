/**
 * Compiled graphs on disk, by what they were made from: weights, kind and compiler. Compiling takes a second
 * or two for a base model, loading a compiled one a tenth of that.
 */
import { access, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hashFiles, sha256 } from '../../models/hashes.ts';
import { fingerprint, verifyModel } from '../../models/verify.ts';
import { type Checkpoint, checkpointFiles } from '../weights/checkpoint.ts';
import type { CompiledGraphs, GraphKind } from './contract.ts';
import { decoderGraph } from './decoder.ts';
import { encoderGraph } from './encoder.ts';

/** Raised with every change to what the compiler writes. */
const COMPILER_VERSION = 2;
/** Graphs of models used longest ago are removed. */
const KEPT_MODELS = 6;
/** A half-written folder this old belongs to a process that ended. */
const ABANDONED_MS = 3_600_000;
const UNFINISHED = 'unfinished-';

/**
 * The graphs of a checkpoint, compiled where they are not yet in the cache. The checkpoint's files are checked
 * against its manifest first. Several processes may do this at once: each writes a folder of its own, the first
 * to finish puts it in place.
 *
 * @param cacheFolder Where graphs and what is known of the files are kept.
 * @throws ModelError where the checkpoint is damaged.
 */
export async function compiledGraphs(
  checkpoint: Checkpoint,
  kind: GraphKind,
  cacheFolder: string,
): Promise<CompiledGraphs> {
  const key = sha256(`${COMPILER_VERSION} ${kind} ${await contentOf(checkpoint, cacheFolder)}`);
  const root = join(cacheFolder, 'graphs');
  const folder = join(root, `${checkpoint.name}-${kind}-${key.slice(0, 16)}`);
  if (!(await exists(folder))) {
    await mkdir(root, { recursive: true });
    const unfinished = await mkdtemp(join(root, UNFINISHED));
    try {
      await encoderGraph(checkpoint, kind, join(unfinished, 'encoder')).save();
      await decoderGraph(checkpoint, kind, join(unfinished, 'decoder')).save();
      await rename(unfinished, folder).catch(async (error) => {
        if (!(await exists(folder))) throw error;
      });
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  const now = new Date();
  await utimes(folder, now, now);
  await prune(root, basename(folder), now.getTime());
  return { encoderPath: join(folder, 'encoder.onnx'), decoderPath: join(folder, 'decoder.onnx') };
}

async function contentOf(checkpoint: Checkpoint, cacheFolder: string): Promise<string> {
  const stamps = join(cacheFolder, 'stamps');
  const verified = await verifyModel(checkpoint.folder, stamps);
  if (verified) return verified;
  return fingerprint(await hashFiles(checkpoint.folder, await checkpointFiles(checkpoint.folder), stamps));
}

/** Removes what was not used for longest, and what was never finished. */
async function prune(root: string, inUse: string, nowMs: number): Promise<void> {
  const names = (await readdir(root)).filter((name) => name !== inUse);
  const entries = await Promise.all(
    names.map(async (name) => ({ name, usedMs: (await stat(join(root, name)).catch(() => null))?.mtimeMs })),
  );
  const known = entries.flatMap(({ name, usedMs }) => (usedMs === undefined ? [] : [{ name, usedMs }]));
  const abandoned = known.filter(
    ({ name, usedMs }) => name.startsWith(UNFINISHED) && usedMs < nowMs - ABANDONED_MS,
  );
  const surplus = known
    .filter(({ name }) => !name.startsWith(UNFINISHED))
    .sort((a, b) => b.usedMs - a.usedMs)
    .slice(KEPT_MODELS - 1);
  for (const { name } of [...abandoned, ...surplus])
    await rm(join(root, name), { recursive: true, force: true });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
