/** The listening socket: HTTP and WebSocket on one port, with TLS or without. */
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, getRequestListener, type WebSocketServerLike } from '@hono/node-server';
import type { NewId } from '../domain/ids.ts';
import type { Certificate } from './certificate.ts';
import { answerMalformed, malformedRequest } from './malformed.ts';
import type { Routes } from './parts.ts';
import { Sockets } from './sockets.ts';

/** How long a client may take over its request headers. */
const HEADERS_TIMEOUT_MS = 10_000;

/** How long a connection may carry nothing in either direction; an event stream carries a comment meanwhile. */
const STALLED_MS = 60_000;

/** How long clients may take over saying goodbye when the server closes. */
const GOODBYE_MS = 1000;

export interface ServerSettings {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly maxFrameBytes: number;
  /** Null, or left out: no TLS. */
  readonly certificate?: Certificate | null;
  /** Names the requests that no face sees. */
  readonly newId: NewId;
}

/** A server that listens. */
export interface Listening {
  readonly url: string;
  /** Takes no more connections and ends those that are open. */
  close(): Promise<void>;
}

/** Begins to listen. Rejects with what the system says, such as `EADDRINUSE`. */
export async function listen(api: Routes, settings: ServerSettings): Promise<Listening> {
  const sockets = new Sockets(settings.maxFrameBytes);
  // The adapter's own type of a WebSocket server is narrower than what ws declares; the two fit.
  const websocket = { server: sockets as unknown as WebSocketServerLike };
  const { newId, certificate } = settings;
  const listener = getRequestListener(api.fetch, { errorHandler: malformedRequest(newId) });
  // A request without a Host is refused by the adapter, as a problem like others; Node's own answer is empty.
  const options = { requireHostHeader: false };
  const server = certificate
    ? createTlsServer({ ...options, ...certificate }, listener)
    : createServer(options, listener);
  createAdaptorServer({ fetch: api.fetch, websocket, createServer: () => server });
  answerMalformed(server, newId);
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  // Uploads and event streams last as long as they last; their own limits apply.
  server.requestTimeout = 0;
  server.timeout = STALLED_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, settings.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return {
    url: `${certificate ? 'https' : 'http'}://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets.everybody) socket.close(1012);
        setTimeout(() => {
          for (const socket of sockets.everybody) socket.terminate();
        }, GOODBYE_MS).unref();
      }),
  };
}
