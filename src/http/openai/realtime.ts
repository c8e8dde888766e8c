/** OpenAI's Realtime interface, for transcription: the WebSocket and its description. */
import { upgradeWebSocket } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { WebSocket } from 'ws';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { Failure } from '../../domain/failure.ts';
import { credentialOf } from '../access.ts';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { check } from '../request.ts';
import { clientSecretPaths, clientSecretRoutes, openAiProblems } from './client-secrets.ts';
import { checkModel, initialSettings, updated } from './realtime-config.ts';
import { type Admitted, RealtimeSocket } from './realtime-socket.ts';

/** Browsers cannot set a header: their key is in a subprotocol of its own. */
const KEY_PREFIX = 'openai-insecure-api-key.';

const query = z.strictObject({
  intent: z.literal('transcription').optional(),
  model: z.string().optional(),
});

/** The routes of this face. Refusals come after the upgrade, since a browser cannot read a status before it. */
export function realtimeRoutes(parts: HttpParts): Routes {
  const { access, abilities } = parts;
  const routes: Routes = new Hono<Env>();
  routes.route('/', clientSecretRoutes(parts));

  const admit = async (c: Context<Env>): Promise<Admitted> => {
    const { tenantId, settings: granted } = await access.admit(credentialIn(c));
    const { model } = check(query, c.req.query());
    if (model) checkModel(model, 'model', abilities);
    const given = { audio: { input: { transcription: model ? { model } : {} } } };
    const settings = updated(initialSettings(abilities.modelName), given, abilities);
    return { tenantId, settings: granted === null ? settings : updated(settings, granted, abilities) };
  };

  routes.get(
    '/v1/realtime',
    async (c, next) => {
      if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
        throw new Failure('bad_request', 'This address speaks WebSocket: connect with ws:// or wss://.');
      await next();
    },
    upgradeWebSocket((c: Context<Env>) => ({
      onOpen: (_event, ws) => {
        new RealtimeSocket(ws.raw as unknown as WebSocket, parts).serve(() => admit(c));
      },
    })),
  );
  return routes;
}

function credentialIn(c: Context<Env>): string | null {
  const key = (c.req.header('sec-websocket-protocol') ?? '')
    .split(',')
    .map((name) => name.trim())
    .find((name) => name.startsWith(KEY_PREFIX));
  return (
    credentialOf({ authorization: c.req.header('authorization') }) ?? key?.slice(KEY_PREFIX.length) ?? null
  );
}

/** This face in the OpenAPI document. */
export const realtimePaths: ZodOpenApiPathsObject = {
  ...clientSecretPaths,
  '/v1/realtime': {
    get: {
      summary: 'OpenAI’s Realtime interface over a WebSocket, for transcription sessions',
      tags: ['OpenAI'],
      requestParams: { query },
      responses: { '101': { description: 'The connection goes on as a WebSocket.' }, ...openAiProblems },
    },
  },
};
