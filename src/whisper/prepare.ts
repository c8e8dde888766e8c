import { compiledGraphs } from './graph/cache.ts';
import type { GraphKind } from './graph/contract.ts';
import type { ModelPlan } from './model.ts';
import { integerKind } from './precision.ts';
import { openCheckpoint } from './weights/checkpoint.ts';

/** A checkpoint that is ready to be loaded, on this thread or another. */
export interface PreparedModel {
  /** The folder's own name, e.g. `whisper-base`. */
  readonly modelName: string;
  readonly plan: ModelPlan;
}

/**
 * Checks a checkpoint and compiles its graphs where they are not in the cache. Takes a second or two for a
 * new base model, so not on the main thread. `openModel(plan)` then loads it without any pool around it.
 *
 * @param kind Numbers to compute with; by default, the integers that this CPU multiplies rightly.
 * @throws ModelError where the model is missing, damaged or no Whisper.
 */
export async function prepareModel(
  modelFolder: string,
  cacheFolder: string,
  kind?: GraphKind,
): Promise<PreparedModel> {
  const checkpoint = await openCheckpoint(modelFolder);
  const graphs = await compiledGraphs(checkpoint, kind ?? (await integerKind()), cacheFolder);
  const { config, tokenizerPath, name } = checkpoint;
  return { modelName: name, plan: { config, tokenizerPath, graphs } };
}
