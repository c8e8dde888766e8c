/** Receivers on bare sockets, which answer well or badly as told, and count who comes. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';

/** Self-signed, for `receiver.test` and `127.0.0.1`. */
export const CERTIFICATE = readFileSync(join(import.meta.dirname, 'receiver-certificate.pem'), 'utf8');
const KEY = readFileSync(join(import.meta.dirname, 'receiver-key.pem'), 'utf8');

/** What a receiver does once it has a whole request. */
export type Behaviour = (socket: Socket, request: string) => void;

export interface Receiver {
  readonly port: number;
  /** Those there have been since it began. */
  connections: number;
  readonly requests: string[];
  /** The names that were asked for in TLS. */
  readonly names: (string | false | null)[];
  /** Sockets that are open. */
  readonly open: ReadonlySet<Socket>;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  readonly host?: string;
  readonly tls?: boolean;
  /** Does so as soon as somebody connects, without a word. */
  readonly onConnection?: (socket: Socket) => void;
}

/** Whether an HTTP request is there to its end. */
function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(request)?.[1] ?? '0';
  return Buffer.byteLength(request.slice(end + 4), 'latin1') >= Number(length);
}

export async function openReceiver(behave: Behaviour, options: ReceiverOptions = {}): Promise<Receiver> {
  const { host = '127.0.0.1', tls = false, onConnection } = options;
  const open = new Set<Socket>();
  const serve = (socket: Socket) => {
    let request = '';
    let isAnswered = false;
    socket.on('error', () => {});
    if (tls) receiver.names.push((socket as TLSSocket).servername as string | false | null);
    socket.on('data', (data) => {
      request += data.toString('latin1');
      if (isAnswered || !isWhole(request)) return;
      isAnswered = true;
      receiver.requests.push(Buffer.from(request, 'latin1').toString());
      behave(socket, request);
    });
  };
  const server: Server = tls ? createTlsServer({ key: KEY, cert: CERTIFICATE }, serve) : createServer(serve);
  server.on('connection', (socket: Socket) => {
    receiver.connections++;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    onConnection?.(socket);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const receiver: Receiver = {
    port: (server.address() as AddressInfo).port,
    connections: 0,
    requests: [],
    names: [],
    open,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
  return receiver;
}

/**
 * How many connections there were besides this one: by the time it is seen, all before it have been, and none
 * that was begun is still on its way.
 */
export async function connectionsTo(receiver: Receiver, host = '127.0.0.1'): Promise<number> {
  const before = receiver.connections;
  const probe = connect(receiver.port, host);
  await once(probe, 'connect');
  await until(() => receiver.connections > before);
  probe.destroy();
  return --receiver.connections;
}

/** Waits for something that is bound to come about. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** An answer as it goes over the wire. */
export function answer(
  status: number | string,
  body: string | Buffer = '',
  headers: Readonly<Record<string, string | number>> = {},
): Buffer {
  const lines = { 'content-length': Buffer.byteLength(body), ...headers };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Well\r\n${head.join('')}\r\n`), Buffer.from(body)]);
}
