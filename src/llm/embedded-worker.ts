/** The thread that the embedded model runs in. Loads at the first call, answers one request at a time. */
import { lowerThreadPriority } from '../flow/priority.ts';
import { serveThread, threadData } from '../flow/thread.ts';
import { verifyModel } from '../models/verify.ts';
import type { LlmRequest } from './model.ts';
import { type Generated, type GeneratorOptions, TextGenerator } from './text-generator.ts';

/** What the thread does; `generate` reports its text, piece by piece, as progress. */
export type EmbeddedApi = {
  load(): void;
  generate(request: LlmRequest): Generated;
};

export interface EmbeddedData extends GeneratorOptions {
  /** Where to remember which files were checked. */
  readonly stampFolder: string;
}

// Words come before answers.
lowerThreadPriority(10);

const data = threadData<EmbeddedData>();
let loading: Promise<TextGenerator> | null = null;

const loaded = (): Promise<TextGenerator> => {
  loading ??= verifyModel(data.folder, data.stampFolder).then(() => TextGenerator.load(data));
  loading.catch(() => {
    // What was missing may be there at the next call.
    loading = null;
  });
  return loading;
};

serveThread<EmbeddedApi>({
  async load() {
    await loaded();
  },
  async generate(request) {
    const generator = await loaded();
    this.signal.throwIfAborted();
    return generator.generate(request, (text) => this.progress(text), this.signal);
  },
});
