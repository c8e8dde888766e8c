/** The WebSocket servers behind the one port: which subprotocol is selected, and how large a message may be where. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SUBPROTOCOL } from './access.ts';

/** Frames between the limit and this many times it are refused with a reason; larger ones are cut off. */
const HARD_LIMIT_FACTOR = 4;

/** Realtime clients put audio into JSON as base64: 15 MiB of it, and what is around. */
const REALTIME_MESSAGE_BYTES = 21 * 1024 * 1024;
const isRealtime = ({ url = '' }: IncomingMessage): boolean => /^\/v1\/realtime\b/.test(url);

/** Those of this server and of the vendors' clients, which put their key behind it. */
const SUBPROTOCOLS = [SUBPROTOCOL, 'realtime', 'token', 'bearer'];

const handleProtocols = (offered: Set<string>): string | false =>
  SUBPROTOCOLS.find((name) => offered.has(name)) ?? false;

/** One server to those who hand it connections, with a limit of its own for an address that needs one. */
export class Sockets extends WebSocketServer {
  readonly #large: WebSocketServer;

  /** @param maxFrameBytes The largest message of the native interface. */
  constructor(maxFrameBytes: number) {
    const options = { noServer: true, perMessageDeflate: false, handleProtocols };
    super({ ...options, maxPayload: HARD_LIMIT_FACTOR * maxFrameBytes });
    this.#large = new WebSocketServer({ ...options, maxPayload: REALTIME_MESSAGE_BYTES });
    this.#large.on('headers', (headers, request) => this.emit('headers', headers, request));
  }

  /** Everybody connected. */
  get everybody(): WebSocket[] {
    return [...this.clients, ...this.#large.clients];
  }

  override handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    connected: (client: WebSocket, request: IncomingMessage) => void,
  ): void {
    if (isRealtime(request)) this.#large.handleUpgrade(request, socket, head, connected);
    else super.handleUpgrade(request, socket, head, connected);
  }

  override close(closed?: (error?: Error) => void): void {
    this.#large.close();
    super.close(closed);
  }
}
