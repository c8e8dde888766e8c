/** For those who run a gateway: liveness, readiness, metrics. */
import { Hono } from 'hono';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Directory } from '../session/directory.ts';
import type { Hub } from '../session/hub.ts';
import type { Store } from '../store/store.ts';
import type { RecogniserLoad } from '../whisper/recognition.ts';
import type { Env, Routes } from './parts.ts';

/** A number that is worth watching, read whenever it is asked for. */
export interface Measure {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

export interface OperationParts {
  readonly store: Store;
  readonly hub: Hub;
  readonly directory: Directory;
  readonly recogniser: { load(): RecogniserLoad };
  /** Whether the node is going down: not ready any more, still alive. */
  readonly closing: () => boolean;
  readonly metrics: boolean;
  /** Of the parts that only the one who wires them knows. */
  readonly measures: readonly Measure[];
  /** What a page needs to know before it asks for a session. */
  readonly serves: { readonly model: string; readonly llm: boolean };
}

/** The routes of this face. They ask for no key and tell nothing of anybody's speech. */
export function operationRoutes(parts: OperationParts): Routes {
  const routes: Routes = new Hono<Env>();
  const registry = metricsOf(parts);

  routes.get('/live', (c) => c.json({ status: 'live' }));

  routes.get('/ready', async (c) => {
    if (parts.closing()) return c.json({ status: 'closing' }, 503);
    try {
      await parts.store.ping();
      return c.json({ status: 'ready', ...parts.serves });
    } catch {
      return c.json({ status: 'storage_unavailable' }, 503);
    }
  });

  if (parts.metrics)
    routes.get('/metrics', async (c) =>
      c.body(await registry.metrics(), 200, { 'content-type': registry.contentType }),
    );
  return routes;
}

function metricsOf({ directory, hub, recogniser, measures }: OperationParts): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'earshot_' });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `earshot_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('live_sessions', 'Live sessions on this node.', () => directory.size);
  gauge('readers', 'Clients following a session on this node.', () => hub.readers);
  gauge('recogniser_workers', 'Recognition threads.', () => recogniser.load().workers);
  gauge('recogniser_running', 'Recognitions being worked on.', () => recogniser.load().running);
  gauge('recogniser_waiting', 'Recognitions waiting for a thread.', () => recogniser.load().waiting);
  for (const { name, help, read } of measures) gauge(name, help, read);
  const { capacity } = recogniser.load();
  if (capacity !== null)
    gauge(
      'recogniser_capacity',
      'People who speak without a pause that this node can follow, as measured when it started.',
      () => capacity,
    );
  return registry;
}

const status = {
  content: { 'application/json': { schema: z.object({ status: z.string() }) } },
};
const ready = {
  content: {
    'application/json': {
      schema: z.object({
        status: z.string(),
        model: z.string().describe('The speech model.'),
        llm: z.boolean().describe('Whether there is a language model.'),
      }),
    },
  },
};

/** This face in the OpenAPI document. */
export const operationPaths: ZodOpenApiPathsObject = {
  '/live': {
    get: {
      summary: 'Whether the process runs',
      tags: ['Operations'],
      responses: { '200': { description: 'It does.', ...status } },
    },
  },
  '/ready': {
    get: {
      summary: 'Whether the node takes work',
      tags: ['Operations'],
      responses: {
        '200': { description: 'It does.', ...ready },
        '503': { description: 'Not now.', ...status },
      },
    },
  },
  '/metrics': {
    get: {
      summary: 'Metrics for Prometheus',
      tags: ['Operations'],
      responses: {
        '200': { description: 'In the text format.', content: { 'text/plain': { schema: z.string() } } },
      },
    },
  },
};
