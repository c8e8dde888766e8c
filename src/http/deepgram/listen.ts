/** Deepgram's live interface: `WS /v1/listen`. What cannot be done is refused before the upgrade. */
import { upgradeWebSocket } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { WebSocket } from 'ws';
import { Failure } from '../../domain/failure.ts';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { credentialOf } from './credential.ts';
import { readListenQuery } from './listen-query.ts';
import { type ListenRequest, ListenSocket } from './listen-socket.ts';
import { uuidOf } from './uuid.ts';

/** The routes of this face. */
export function listenRoutes(parts: HttpParts): Routes {
  const { access, abilities, directory } = parts;
  const routes: Routes = new Hono<Env>();

  const admitted = async (c: Context<Env>): Promise<ListenRequest> => {
    const { tenantId } = await access.admit(credentialOf(c));
    const requestId = uuidOf(c.get('requestId'));
    const wishes = readListenQuery(c.req.queries(), requestId, abilities);
    directory.admit();
    return { tenantId, requestId, wishes };
  };

  routes.get('/v1/listen', async (c, next) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
      throw new Failure(
        'bad_request',
        'Live audio comes over a WebSocket: connect with ws:// or wss://. Recordings are sent with POST.',
      );
    const request = await admitted(c);
    const upgrade = upgradeWebSocket(() => ({
      onOpen: (_event, ws) => {
        new ListenSocket(ws.raw as unknown as WebSocket, request, parts).serve();
      },
    }));
    return await upgrade(c, next);
  });
  return routes;
}
