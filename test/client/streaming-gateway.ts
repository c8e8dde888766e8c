/** A small WebSocket and HTTP server that speaks the gateway's protocol and does what a test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Connection {
  readonly socket: WebSocket;
  readonly query: URLSearchParams;
  /** The audio and the text messages of this connection, in the order they came. */
  readonly received: (Buffer | { type: string })[];
  say(message: object): void;
}

export interface StreamingGateway {
  readonly url: string;
  readonly connections: Connection[];
  close(): Promise<void>;
}

type Handlers = {
  readonly request?: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
  readonly connection?: (connection: Connection, index: number) => void;
  readonly message?: (connection: Connection, message: Buffer | { type: string }, index: number) => void;
};

/** The gateway's first message. */
export const readyMessage = (resumed: boolean, resumeFromSample: number) => ({
  type: 'session.ready',
  sessionId: 'ses_1',
  resumed,
  resumeFromSample,
  audio: { encoding: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 },
  limits: { maxFrameBytes: 65_536, idleMs: 30_000, maxSessionMs: 3_600_000 },
});

export const receipt = {
  receivedMs: 1_000,
  transcribedMs: 800,
  silenceMs: 200,
  suppressedMs: 0,
  finals: 1,
  lastSeq: 3,
  endedBy: 'client',
} as const;

/** A durable event of session `ses_1`. */
export const durable = (seq: number, type: string, fields: object = {}) => ({
  type,
  sessionId: 'ses_1',
  seq,
  at: '2026-01-01T00:00:00.000Z',
  ...fields,
});

/** All audio a connection received, as one. */
export const audioOf = (connection: Connection): Buffer =>
  Buffer.concat(connection.received.filter((piece) => Buffer.isBuffer(piece)));

/** Answers `POST /v1/sessions` and tokens as the gateway does, everything else as `handlers.request` does. */
export async function streamingGateway(handlers: Handlers): Promise<StreamingGateway> {
  const connections: Connection[] = [];
  let tokens = 1;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const answer = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const port = (server.address() as AddressInfo).port;
      const isJson = request.headers['content-type'] === 'application/json';
      if (request.method === 'POST' && request.url === '/v1/sessions' && isJson)
        answer(201, {
          id: 'ses_1',
          stream: { url: `ws://127.0.0.1:${port}/v1/sessions/ses_1/stream`, token: 'ek_1', expiresAt: '' },
        });
      else if (request.method === 'POST' && request.url === '/v1/sessions/ses_1/tokens')
        answer(201, { token: `ek_${(tokens += 1)}`, expiresAt: '' });
      else if (handlers.request) handlers.request(request, response, Buffer.concat(pieces));
      else answer(200, { id: 'ses_1', state: 'DONE', text: 'what was stored' });
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const connection: Connection = {
      socket,
      query: new URL(request.url!, 'http://gateway').searchParams,
      received: [],
      say: (message) => socket.send(JSON.stringify(message)),
    };
    const index = connections.push(connection) - 1;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const message = isBinary ? data : JSON.parse(data.toString());
      connection.received.push(message);
      handlers.message?.(connection, message, index);
    });
    handlers.connection?.(connection, index);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
