/** The recogniser and the language model that the settings name. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { systemClock } from './flow/clock.ts';
import { EmbeddedLanguageModel } from './llm/embedded.ts';
import type { LanguageModel } from './llm/model.ts';
import { OpenAiLanguageModel } from './llm/openai.ts';
import { openUpstreamRecogniser } from './upstream/recogniser.ts';
import { openRecogniser } from './whisper/recogniser.ts';
import type { Recogniser } from './whisper/recognition.ts';
import type { DownloadProgress } from './whisper/weights/hub.ts';
import { resolveModel } from './whisper/weights/resolve.ts';

/**
 * Opens the recogniser, ready to answer; an upstream is not asked before the first request.
 * @param onProgress Told while a model is downloaded.
 * @throws Failure, ModelError
 */
export async function openRecogniserOf(
  config: Config,
  modelsFolder: string,
  cacheFolder: string,
  logger: Logger,
  onProgress: (progress: DownloadProgress) => void,
): Promise<Recogniser> {
  const clock = systemClock;
  switch (config.STT) {
    case 'embedded': {
      const modelFolder = await resolveModel(config.STT_MODEL, {
        bundledFolder: modelsFolder,
        hub: { folder: join(config.DATA_DIR, 'models'), endpoint: config.HF_ENDPOINT, clock, onProgress },
      });
      const workers = config.STT_WORKERS ?? availableParallelism();
      return openRecogniser({ modelFolder, cacheFolder, workers, clock });
    }
    case 'openai':
      return openUpstreamRecogniser({
        baseUrl: config.STT_BASE_URL!,
        apiKey: config.STT_API_KEY ?? null,
        model: config.STT_MODEL,
        timeoutMs: config.STT_TIMEOUT_MS,
        concurrency: config.STT_CONCURRENCY,
        onFailure: (failure) => logger.warn({ err: failure }, 'the upstream recogniser failed'),
        clock,
      });
  }
}

/** The language model, not yet loaded; null for none. */
export function languageModelOf(
  config: Config,
  modelsFolder: string,
  cacheFolder: string,
): LanguageModel | null {
  const clock = systemClock;
  switch (config.LLM) {
    case 'off':
      return null;
    case 'embedded': {
      const bundled = join(modelsFolder, config.LLM_MODEL);
      const folder = existsSync(bundled) ? bundled : config.LLM_MODEL;
      return new EmbeddedLanguageModel({ folder, stampFolder: join(cacheFolder, 'stamps'), clock });
    }
    case 'openai':
      return new OpenAiLanguageModel({
        baseUrl: config.LLM_BASE_URL,
        apiKey: config.LLM_API_KEY ?? null,
        model: config.LLM_MODEL,
        contextTokens: config.LLM_CONTEXT_TOKENS,
        clock,
      });
  }
}
