/** Wires the house: the one place that knows every part. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { typeid } from 'typeid-js';
import type { FfmpegCommand } from './audio/ffmpeg.ts';
import { findFfmpeg } from './audio/find-ffmpeg.ts';
import type { Config } from './config.ts';
import type { NewId } from './domain/ids.ts';
import { languageModelOf, openRecogniserOf } from './engines.ts';
import { systemClock } from './flow/clock.ts';
import { Access } from './http/access.ts';
import { createApi } from './http/api.ts';
import type { Routes } from './http/parts.ts';
import { listen } from './http/server.ts';
import { startHousekeeping } from './jobs/housekeeping.ts';
import { Recordings } from './jobs/recordings.ts';
import type { LanguageModel } from './llm/model.ts';
import { Directory } from './session/directory.ts';
import { Hub } from './session/hub.ts';
import type { OpeningParts } from './session/opening.ts';
import { giveUpRecording, type RecordingParts, transcribeRecording } from './session/recording.ts';
import { openVad, type VoiceActivityDetector } from './speech/vad.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';
import type { Recogniser } from './whisper/recognition.ts';
import type { DownloadProgress } from './whisper/weights/hub.ts';

/** A gateway that serves. */
export interface App {
  /** Where it is reached from this machine. */
  readonly url: string;
  /** Stops taking work, stores what is being said, tells the clients, and lets go of everything. */
  close(): Promise<void>;
}

/** What lies beside the code. */
export interface Places {
  readonly models: string;
  readonly page: string;
  readonly client: string;
  /** Where programs such as ffmpeg are looked for, as in PATH. */
  readonly searchPath: string;
  readonly version: string;
}

/** Recordings worked on at a time; each keeps all recognition threads busy. */
const RECORDINGS_AT_ONCE = 2;

/** Tokens of an answer that arrive within this time are one event. */
const GROUP_TOKENS_MS = 60;

const newId: NewId = (prefix) => typeid(prefix).toString();

/** Names of other services' models that mean this node's own. */
const MODEL_ALIASES = ['whisper-1', 'gpt-4o-transcribe', 'gpt-4o-mini-transcribe', 'nova-2', 'nova-3'];

/** The parts that take time to open, and that a test may choose for itself. */
export interface Engines {
  readonly store: Store;
  readonly recogniser: Recogniser;
  readonly vad: VoiceActivityDetector;
  /** Null: no language model. */
  readonly llm: LanguageModel | null;
  readonly ffmpeg: FfmpegCommand | null;
}

/** A gateway that answers requests, with or without a socket that listens. */
export interface Gateway {
  readonly api: Routes;
  /** Whether it still takes work; the engines are the caller's to close. */
  close(): Promise<void>;
}

/**
 * Opens everything and begins to serve.
 * @param onProgress Told while a model is downloaded.
 * @throws Failure, ModelError, or what the port says.
 */
export async function startApp(
  config: Config,
  places: Places,
  logger: Logger,
  onProgress: (progress: DownloadProgress) => void,
): Promise<App> {
  const clock = systemClock;
  const cacheFolder = join(config.DATA_DIR, 'cache');
  // The store first: whoever has the data folder is met before anything else is begun.
  const store = await openStore({
    databaseUrl: config.DATABASE_URL ?? null,
    dataDir: config.DATA_DIR,
    clock,
  });
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
  const gateway = await assemble(config, places, { store, recogniser, vad, llm, ffmpeg }, logger);
  // Loaded in the background: the first answer finds it ready, and nobody waits for it to begin.
  llm
    ?.load?.()
    .catch((error: unknown) => logger.error({ err: error }, 'the language model cannot be loaded'));
  const server = await listen(gateway.api, {
    host: config.HOST,
    port: config.PORT,
    maxFrameBytes: config.MAX_FRAME_BYTES,
    newId,
  });
  return {
    url: server.url,
    async close() {
      await gateway.close();
      await server.close();
      await Promise.all([llm?.close(), recogniser.close(), vad.close()]);
      await store.close();
    },
  };
}

/** Puts the house together around its engines. */
export async function assemble(
  config: Config,
  places: Places,
  engines: Engines,
  logger: Logger,
): Promise<Gateway> {
  const { store, recogniser, vad, llm, ffmpeg } = engines;
  const clock = systemClock;
  const nodeId = randomUUID();
  const { workers } = recogniser.load();
  const onError = (error: unknown) => logger.error({ err: error }, 'housekeeping failed');
  let closing = false;

  // The data folder of an embedded database has one owner: whoever claimed sessions before is gone.
  if (store.kind === 'embedded') await store.sessions.releaseAll();

  const hub = new Hub();
  const pipeline = { vad, recogniser, newId };
  const decoders = { clock, ffmpeg };
  const limits = {
    firstTokenMs: config.LLM_STALL_MS,
    stallMs: config.LLM_STALL_MS,
    totalMs: config.LLM_TIMEOUT_MS,
  };
  const answers = { llm, limits: { ...limits, groupMs: GROUP_TOKENS_MS }, clock, newId };
  const opening: OpeningParts = { store, hub, answers };
  const directory = new Directory({
    opening,
    live: {
      sessions: store.sessions,
      pipeline,
      decoders,
      clock,
      workers,
      limits: {
        idleMs: config.IDLE_MS,
        maxSessionMs: config.MAX_SESSION_MS,
        resumeWindowMs: config.RESUME_WINDOW_MS,
      },
    },
    clock,
    nodeId,
    maxLiveSessions: config.MAX_LIVE_SESSIONS,
    onError,
  });
  const recording: RecordingParts = {
    opening,
    pipeline,
    decoders,
    clock,
    nodeId,
    workers,
    maxDurationMs: config.MAX_RECORDING_MS,
  };
  const recordings = await Recordings.open({
    store,
    folder: join(config.DATA_DIR, 'uploads'),
    maxQueued: config.MAX_QUEUED_RECORDINGS,
    atOnce: RECORDINGS_AT_ONCE,
    transcribe: (record, path, signal) => transcribeRecording(record, path, recording, signal),
    giveUp: (record, reason) => giveUpRecording(record, recording, reason),
    onError,
  });
  const stopHousekeeping = startHousekeeping({
    store,
    directory,
    recordings,
    clock,
    resumeWindowMs: config.RESUME_WINDOW_MS,
    retentionHours: config.RETENTION_HOURS,
    onError,
  });

  const api = createApi({
    store,
    hub,
    directory,
    recordings,
    access: new Access({ apiKeys: config.API_KEYS, tokens: store.tokens, clock, random: randomBytes }),
    abilities: {
      modelName: recogniser.modelName,
      modelAliases: MODEL_ALIASES,
      languages: recogniser.languages,
      llm: llm !== null,
    },
    clock,
    newId,
    limits: {
      maxFrameBytes: config.MAX_FRAME_BYTES,
      maxUploadBytes: config.MAX_UPLOAD_BYTES,
      idleMs: config.IDLE_MS,
      maxSessionMs: config.MAX_SESSION_MS,
    },
    logger,
    publicUrl: config.PUBLIC_URL ?? null,
    operations: {
      store,
      hub,
      directory,
      recogniser,
      closing: () => closing,
      metrics: config.METRICS,
      serves: { model: recogniser.modelName, llm: llm !== null },
    },
    origins: { allowed: config.ALLOWED_ORIGINS, open: config.API_KEYS.length === 0 },
    pageFolder: places.page,
    clientFolder: places.client,
    version: places.version,
  });
  return {
    api,
    async close() {
      closing = true;
      stopHousekeeping();
      await directory.close();
      await recordings.close();
    },
  };
}
