/** The recognition thread: holds one loaded model and answers one request after the other. */
import { seeded } from '../flow/chance.ts';
import { lowerThreadPriority } from '../flow/priority.ts';
import { serveThread } from '../flow/thread.ts';
import { ModelError, type ModelErrorReason } from '../models/model-error.ts';
import { type ModelPlan, openModel, type Transcription, type WhisperModel } from './model.ts';
import { type PreparedModel, prepareModel } from './prepare.ts';
import type { RecognitionRequest } from './recognition.ts';

/** A model made ready to be loaded, or what is wrong with it: errors lose their kind between threads. */
type Preparation =
  | ({ readonly kind: 'ready' } & PreparedModel)
  | { readonly kind: 'unusable'; readonly reason: ModelErrorReason; readonly message: string };

export type WorkerApi = {
  /** Checks a checkpoint and compiles its graphs where they are not in the cache. */
  prepare(modelFolder: string, cacheFolder: string): Preparation;
  /** Loads the model, so that the first request need not wait for it. */
  load(plan: ModelPlan): void;
  transcribe(plan: ModelPlan, request: RecognitionRequest): Transcription;
};

/** Of the chance in a second try: any will do, as long as it stays. */
const SEED = 1;

let loading: Promise<WhisperModel> | null = null;

/** Every call brings the plan, so that a thread started anew in the place of one that died needs no telling. */
function loaded(plan: ModelPlan): Promise<WhisperModel> {
  loading ??= openModel(plan, () => seeded(SEED)).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

// Sockets, voice activity and the store come before words: they need little, and everybody waits for them.
lowerThreadPriority(5);

serveThread<WorkerApi>({
  async prepare(modelFolder, cacheFolder) {
    try {
      return { kind: 'ready', ...(await prepareModel(modelFolder, cacheFolder)) };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return { kind: 'unusable', reason: error.reason, message: error.message };
    }
  },
  async load(plan) {
    await loaded(plan);
  },
  async transcribe(plan, request) {
    const model = await loaded(plan);
    return model.transcribe(request, this.signal);
  },
});
