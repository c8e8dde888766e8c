/** The recogniser: one model on several threads, behind one queue. */

import { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { Thread, threadEntry } from '../flow/thread.ts';
import { ModelError } from '../models/model-error.ts';
import { measureLiveCosts, speakersFor } from './capacity.ts';
import type { ModelPlan, Transcription } from './model.ts';
import { type Runner, WorkPool } from './pool.ts';
import { ALLOWANCE_MS, type Recogniser, type RecognitionRequest } from './recognition.ts';
import type { WorkerApi } from './worker.ts';

export interface RecogniserOptions {
  /** A Whisper checkpoint, packed or as Hugging Face has it. */
  readonly modelFolder: string;
  /** Where compiled graphs are kept. */
  readonly cacheFolder: string;
  /** Threads, one core each. */
  readonly workers: number;
  readonly clock: Clock;
  /** How many requests may wait before partials and recordings are refused; 16 a worker by default. */
  readonly maxWaiting?: number;
}

const WAITING_PER_WORKER = 16;

/** Many times what 30 s of audio take the largest model on a slow core. */
const MAX_JOB_MS = 180_000;

/**
 * Opens a recogniser, ready to answer: graphs compiled, every thread with the model loaded.
 * @throws ModelError where the model is missing, damaged or no Whisper.
 */
export async function openRecogniser(options: RecogniserOptions): Promise<Recogniser> {
  const { modelFolder, cacheFolder, workers, clock } = options;
  const threads = Array.from({ length: workers }, (_, i) => recognitionThread(`recogniser ${i + 1}`));
  try {
    const prepared = await threads[0]!.call('prepare', [modelFolder, cacheFolder]);
    if (prepared.kind === 'unusable') throw new ModelError(prepared.reason, prepared.message);
    const { plan, modelName } = prepared;
    await Promise.all(threads.map((thread) => thread.call('load', [plan])));
    const runners = threads.map((thread) => threadRunner(thread, plan));
    const run = (request: RecognitionRequest) => runners[0]!.run(request, undefined);
    const costs = await measureLiveCosts(run, languagesOf(plan)[0]!, () => clock.monotonicMs());
    const pool = new WorkPool(runners, {
      clock,
      maxWaiting: options.maxWaiting ?? WAITING_PER_WORKER * workers,
      maxJobMs: MAX_JOB_MS,
    });
    const abilities = {
      modelName,
      languages: languagesOf(plan),
      translates: plan.config.tokens.translate !== null,
    };
    return recogniserOver(pool, abilities, speakersFor(costs, workers));
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw error;
  }
}

/** A thread that runs `worker.ts`; it starts with its first call. */
export function recognitionThread(name: string): Thread<WorkerApi> {
  return new Thread<WorkerApi>(threadEntry(import.meta.url, './worker.js'), { name });
}

/** A thread as a worker of the pool. */
export function threadRunner(
  thread: Thread<WorkerApi>,
  plan: ModelPlan,
): Runner<RecognitionRequest, Transcription> {
  return {
    run: (request, signal) => thread.call('transcribe', [plan, request], signal ? { signal } : {}),
    restart: () => thread.restart(),
    close: () => thread.close(),
  };
}

function languagesOf({ config }: ModelPlan): readonly string[] {
  const known = Object.keys(config.languages);
  return known.length > 0 ? known : ['en'];
}

function recogniserOver(
  pool: WorkPool<RecognitionRequest, Transcription>,
  { modelName, languages, translates }: Required<Pick<Recogniser, 'modelName' | 'languages' | 'translates'>>,
  capacity: number,
): Recogniser {
  return {
    modelName,
    languages,
    keepsPrefix: true,
    translates,
    async recognise(asked, signal) {
      const { language, task, urgency, utterance } = asked;
      if (language !== null && !languages.includes(language))
        throw new Failure('unsupported_option', `${modelName} does not know the language ${language}.`);
      if (task === 'translate' && !translates)
        throw new Failure('unsupported_option', `${modelName} does not translate.`);
      // A copy: the request may wait, and be made twice, while its caller's buffer moves on.
      const request = { ...asked, audio: asked.audio.slice() };
      return pool.submit(request, {
        allowanceMs: ALLOWANCE_MS[urgency],
        refusable: urgency !== 'final',
        topic: utterance,
        signal,
      });
    },
    load: () => ({ workers: pool.workers, running: pool.running, waiting: pool.waiting, capacity }),
    close: () => pool.close(),
  };
}
