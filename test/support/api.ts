/** The whole gateway inside the test's own process, on a real store and real engines. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { assemble, type Engines, type Gateway } from '../../src/assemble.ts';
import { findFfmpeg } from '../../src/audio/find-ffmpeg.ts';
import { alone } from '../../src/bus/alone.ts';
import type { Bus } from '../../src/bus/bus.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { listen } from '../../src/http/server.ts';
import type { LanguageModel } from '../../src/llm/model.ts';
import { openVad } from '../../src/speech/vad.ts';
import type { Store } from '../../src/store/store.ts';
import type { Recogniser } from '../../src/whisper/recognition.ts';
import { databases, freshFolder, type TestDatabase } from './databases.ts';
import { sharedRecogniser } from './recogniser.ts';

const root = join(import.meta.dirname, '..', '..');

export interface TestGateway {
  readonly store: Store;
  readonly config: Config;
  readonly gateway: Gateway;
  /** A request without a socket, from 127.0.0.1. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Begins to listen on a free port; the address. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly env?: Record<string, string>;
  readonly database?: TestDatabase;
  readonly recogniser?: Recogniser;
  readonly llm?: LanguageModel | null;
  readonly bus?: Bus;
}

/** No recognition: for tests in which nobody speaks. */
export const deaf: Recogniser = {
  modelName: 'whisper-base',
  languages: ['en', 'ko', 'ja', 'zh'],
  keepsPrefix: true,
  recognise: () => Promise.reject(new Error('nobody was to speak in this test')),
  load: () => ({ workers: 1, running: 0, waiting: 0, capacity: null }),
  close: async () => {},
};

export async function openGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { store, cleanup } = await (options.database ?? databases().at(-1)!).open();
  const folder = await freshFolder();
  const config = readConfig({
    PORT: '0',
    LLM: 'off',
    DATA_DIR: folder.path,
    LOG_LEVEL: 'silent',
    ...options.env,
  });
  const vad = await openVad(join(root, 'models', 'silero-vad', 'silero_vad_v6.onnx'));
  const engines: Engines = {
    clock: systemClock,
    nodeId: randomUUID(),
    bus: options.bus ?? alone(),
    store,
    vad,
    recogniser: options.recogniser ?? (await sharedRecogniser()),
    llm: options.llm ?? null,
    ffmpeg: await findFfmpeg(process.env.PATH ?? ''),
  };
  const places = {
    models: join(root, 'models'),
    page: join(root, 'dist', 'web-demo'),
    client: join(root, 'dist', 'client'),
    searchPath: process.env.PATH ?? '',
    version: '0.0.0',
  };
  const gateway = await assemble(config, places, engines, pino({ level: 'silent' }));
  let server: Awaited<ReturnType<typeof listen>> | null = null;
  return {
    store,
    config,
    gateway,
    request: async (path, init) => await gateway.api.request(`http://127.0.0.1${path}`, init),
    async listen() {
      server = await listen(gateway.api, {
        host: '127.0.0.1',
        port: 0,
        maxFrameBytes: config.MAX_FRAME_BYTES,
        newId: (prefix) => `${prefix}_test`,
      });
      return server.url;
    },
    async close() {
      await gateway.close();
      await server?.close();
      await vad.close();
      await cleanup();
      await folder.remove();
    },
  };
}
