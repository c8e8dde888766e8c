/** Opens the engines, puts the house together around them and begins to serve. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { assemble, newId, type Places } from './assemble.ts';
import { findFfmpeg } from './audio/find-ffmpeg.ts';
import { openBus } from './bus/open-bus.ts';
import type { Config } from './config.ts';
import { languageModelOf, openRecogniserOf } from './engines.ts';
import { systemClock } from './flow/clock.ts';
import { SyncedClock } from './flow/synced-clock.ts';
import { readCertificate } from './http/certificate.ts';
import { listen } from './http/server.ts';
import { openVad } from './speech/vad.ts';
import { openStore } from './store/open-store.ts';
import type { DownloadProgress } from './whisper/weights/hub.ts';

/** A gateway that serves. */
export interface App {
  /** Where it is reached from this machine. */
  readonly url: string;
  /** Stops taking work, stores what is being said, tells the clients, and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Opens everything and begins to serve.
 * @param onProgress Told while a model is downloaded.
 * @throws ConfigError, Failure, ModelError, or what the port says.
 */
export async function startApp(
  config: Config,
  places: Places,
  logger: Logger,
  onProgress: (progress: DownloadProgress) => void,
): Promise<App> {
  const certificate = await readCertificate(config);
  const clock = new SyncedClock(systemClock);
  const cacheFolder = join(config.DATA_DIR, 'cache');
  // The store first: whoever has the data folder is met before anything else is begun.
  const store = await openStore({
    databaseUrl: config.DATABASE_URL ?? null,
    dataDir: config.DATA_DIR,
    clock,
    spool: {
      folder: join(config.DATA_DIR, 'spool'),
      maxBytes: config.SPOOL_MAX_BYTES,
      onError: (error) => logger.warn({ err: error }, 'the spool of events meets an error'),
    },
  });
  // Claims are instants that all nodes compare: they go by the database's clock, whatever their machines' say.
  await clock.sync(() => store.nowMs());
  const stopSync = clock.keepInSync(() => store.nowMs());
  const opening = [
    openRecogniserOf(config, places.models, cacheFolder, logger, onProgress),
    openVad(join(places.models, 'silero-vad', 'silero_vad_v6.onnx')),
  ] as const;
  const [recogniser, vad] = await Promise.all(opening).catch(async (error: unknown) => {
    // The process ends next, which must not find a thread in the middle of loading.
    for (const opened of await Promise.allSettled(opening))
      if (opened.status === 'fulfilled') await opened.value.close();
    await store.close();
    throw error;
  });
  const ffmpeg = await findFfmpeg(places.searchPath);
  const llm = languageModelOf(config, places.models, cacheFolder);
  const nodeId = randomUUID();
  const bus = openBus({
    nodeId,
    natsUrl: config.NATS_URL ?? null,
    databaseUrl: config.DATABASE_URL ?? null,
    onError: (error) => logger.warn({ err: error }, 'other nodes cannot be told'),
  });
  const engines = { clock, nodeId, store, recogniser, vad, llm, ffmpeg, bus };
  const gateway = await assemble(config, places, engines, logger);
  // Loaded in the background: the first answer finds it ready, and nobody waits for it to begin.
  llm
    ?.load?.()
    .catch((error: unknown) => logger.error({ err: error }, 'the language model cannot be loaded'));
  const server = await listen(gateway.api, {
    host: config.HOST,
    port: config.PORT,
    maxFrameBytes: config.MAX_FRAME_BYTES,
    certificate,
    newId,
  });
  return {
    url: server.url,
    async close() {
      stopSync();
      await gateway.close();
      await server.close();
      await Promise.all([llm?.close(), recogniser.close(), vad.close(), bus.close()]);
      await store.close();
    },
  };
}
