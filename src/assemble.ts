/** Puts the house together around its engines: where every part meets those it needs. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { typeid } from 'typeid-js';
import type { FfmpegCommand } from './audio/ffmpeg.ts';
import type { Bus } from './bus/bus.ts';
import { Relay } from './bus/relay.ts';
import type { Config } from './config.ts';
import { isTerminal } from './domain/event.ts';
import type { NewId } from './domain/ids.ts';
import type { Clock } from './flow/clock.ts';
import { Access } from './http/access.ts';
import { createApi } from './http/api.ts';
import { callbackBodyOf } from './http/deepgram/answer.ts';
import type { Routes } from './http/parts.ts';
import { Delivery } from './jobs/delivery.ts';
import { startHousekeeping } from './jobs/housekeeping.ts';
import { Recordings } from './jobs/recordings.ts';
import { Uploads } from './jobs/uploads.ts';
import type { LanguageModel } from './llm/model.ts';
import { outgoingOf } from './outgoing.ts';
import { Directory } from './session/directory.ts';
import { Hub } from './session/hub.ts';
import type { OpeningParts } from './session/opening.ts';
import { type RecordingParts, transcribeRecording } from './session/recording.ts';
import type { VoiceActivityDetector } from './speech/vad.ts';
import type { Store } from './store/store.ts';
import type { Recogniser } from './whisper/recognition.ts';

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

/** Ids with a prefix, sorted by time. */
export const newId: NewId = (prefix) => typeid(prefix).toString();

/** Names of other services' models that mean this node's own: those that their clients and frameworks send by default. */
const MODEL_ALIASES = [
  'whisper-1',
  'gpt-transcribe',
  'gpt-live-transcribe',
  'gpt-realtime-whisper',
  'gpt-4o-transcribe',
  'gpt-4o-mini-transcribe',
  'gpt-4o-mini-transcribe-2025-12-15',
  'nova-2',
  'nova-3',
];

/** The parts that take time to open, and that a test may choose for itself. */
export interface Engines {
  readonly clock: Clock;
  /** Another for every process. */
  readonly nodeId: string;
  readonly bus: Bus;
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

/** Puts the house together around its engines. */
export async function assemble(
  config: Config,
  places: Places,
  engines: Engines,
  logger: Logger,
): Promise<Gateway> {
  const { clock, nodeId, bus, store, recogniser, vad, llm, ffmpeg } = engines;
  const [isGateway, isWorker] = ['gateway', 'worker'].map((role) => config.ROLES.includes(role));
  const { workers } = recogniser.load();
  const onError = (error: unknown) => logger.error({ err: error }, 'housekeeping failed');
  let closing = false;

  // The data folder of an embedded database has one owner: whoever claimed sessions before is gone.
  if (store.kind === 'embedded')
    await Promise.all([store.sessions.releaseAll(), store.deliveries.releaseAll()]);

  const outgoing = await outgoingOf(config, clock, store.deliveries);
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
      isWaiting: (sessionId) => store.isWaiting(sessionId),
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
    askFor: (sessionId) => bus.send({ kind: 'take', sessionId, requestId: newId('req') }),
    onError,
  });
  const uploads = await Uploads.open({
    folder: join(config.DATA_DIR, 'uploads'),
    sessions: store.sessions,
    shared: store.kind === 'postgres' ? store.uploads : null,
    clock,
    fetch: outgoing.fetch,
    mayPass: outgoing.mayPass,
  });
  const recording: RecordingParts = {
    opening,
    pipeline,
    decoders,
    clock,
    nodeId,
    workers,
    maxDurationMs: config.MAX_RECORDING_MS,
    locate: (record, signal) => uploads.locate(record, signal),
  };
  const recordings = await Recordings.open({
    store,
    uploads,
    maxQueued: config.MAX_QUEUED_RECORDINGS,
    atOnce: isWorker ? RECORDINGS_AT_ONCE : 0,
    transcribe: (record, signal) => transcribeRecording(record, recording, signal),
    onError,
  });
  await recordings.begin(clock.now());
  const relay = new Relay({
    bus,
    clock,
    deliver: (tenantId, event) => hub.deliver(tenantId, event),
    changed: (sessionId, seq) => hub.lookAgain(sessionId, seq),
    take: (sessionId) => void directory.letGo(sessionId).catch(onError),
    cancel: (sessionId) => void forget(sessionId).catch(onError),
  });
  /** Drops what is done for a session that was deleted. */
  const forget = async (sessionId: string) => {
    await directory.cancel(sessionId);
    await recordings.cancel(sessionId);
    hub.end(sessionId);
  };
  const delivery = isWorker
    ? new Delivery({
        store,
        vendors: { deepgram: callbackBodyOf },
        clock,
        random: Math.random,
        send: outgoing.send,
        onStored: (tenantId, event) => hub.publish(tenantId, event),
        onError,
      })
    : null;
  store.onStored((sessionId, seq) => {
    hub.lookAgain(sessionId, seq);
    relay.stored(sessionId, seq);
  });
  hub.join({
    publish(tenantId, event) {
      relay.publish(tenantId, event);
      if (isTerminal(event)) delivery?.wake();
    },
    follow: (sessionId) => relay.follow(sessionId),
    unfollow: (sessionId) => relay.unfollow(sessionId),
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
    uploads,
    forget: async (sessionId) => {
      await forget(sessionId);
      bus.send({ kind: 'cancel', sessionId });
    },
    wakeDelivery: () => delivery?.wake(),
    checkAddress: outgoing.checkAddress,
    access: new Access({ apiKeys: config.API_KEYS, tokens: store.tokens, clock, random: randomBytes }),
    abilities: {
      modelName: recogniser.modelName,
      modelAliases: MODEL_ALIASES,
      languages: recogniser.languages,
      translates: recogniser.translates ?? false,
      llm: llm !== null,
      webhooks: outgoing.webhooks,
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
      measures: [
        {
          name: 'followed_elsewhere',
          help: 'Sessions here that other nodes follow.',
          read: () => relay.followedElsewhere,
        },
        {
          name: 'bus_waiting',
          help: 'Messages that wait to be told to other nodes.',
          read: () => bus.counts.waiting,
        },
        {
          name: 'bus_dropped',
          help: 'Messages that other nodes were never told.',
          read: () => bus.counts.dropped,
        },
        {
          name: 'spool_waiting',
          help: 'Batches of events that wait for the database.',
          read: () => store.waiting,
        },
        { name: 'deliveries_running', help: 'Webhooks being sent.', read: () => delivery?.size ?? 0 },
      ],
      serves: { model: recogniser.modelName, llm: llm !== null },
    },
    origins: { allowed: config.ALLOWED_ORIGINS, open: config.API_KEYS.length === 0 },
    servesClients: isGateway === true,
    pageFolder: places.page,
    clientFolder: places.client,
    version: places.version,
  });
  return {
    api,
    async close() {
      closing = true;
      stopHousekeeping();
      await Promise.all([directory.close(), recordings.close(), delivery?.close()]);
      relay.close();
    },
  };
}
