import type { FailureCode } from '../domain/failure.ts';
import { EarshotError } from './error.ts';
import type { AckMessage, ReadyMessage, ServerMessage } from './wire.ts';

/** As much of a WebSocket as is used: the browser's, Node's own and that of the package `ws` all have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: the three kinds of socket disagree on their events' types.
  addEventListener(type: 'message' | 'close' | 'error', listener: (event: any) => void): void;
}

/** A class of such sockets. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

type Told = Exclude<ServerMessage, ReadyMessage | AckMessage | { type: 'error' }>;

/** Who hears what a socket has to tell. */
export interface SocketListener {
  ready(message: ReadyMessage): void;
  acknowledged(message: AckMessage): void;
  event(event: Told): void;
  /** A complaint that ends nothing. */
  warned(error: EarshotError): void;
  /** The last call. `error` is what the gateway said of the close, where it said something. */
  closed(code: number, error: EarshotError | null): void;
}

/** One connection of a live stream: messages in, calls out, and silence after `drop()`. */
export class Socket {
  readonly #socket: WebSocketLike;
  #listener: SocketListener | null;
  #lastWords: EarshotError | null = null;

  constructor(WebSocket: WebSocketConstructor, url: string, listener: SocketListener) {
    this.#listener = listener;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('message', ({ data }: { data: unknown }) => this.#receive(data));
    this.#socket.addEventListener('close', ({ code }: { code: number }) => {
      this.#tell((to) => to.closed(code, this.#lastWords));
      this.#listener = null;
    });
    // `ws` throws where nobody listens; what went wrong arrives with the close that follows.
    this.#socket.addEventListener('error', () => {});
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  /** Closes without another word to the listener. */
  drop(): void {
    this.#listener = null;
    this.#socket.close(1000);
  }

  /** Takes the connection for lost, without waiting for a peer that may be gone. */
  abandon(): void {
    const listener = this.#listener;
    this.drop();
    listener?.closed(1006, this.#lastWords);
  }

  #receive(data: unknown): void {
    let message: ServerMessage;
    try {
      message = JSON.parse(String(data));
    } catch {
      this.#tell((to) =>
        to.warned(new EarshotError('unexpected_answer', 'a message of the gateway is not JSON')),
      );
      return;
    }
    switch (message.type) {
      case 'session.ready':
        this.#tell((to) => to.ready(message));
        break;
      case 'audio.ack':
        this.#tell((to) => to.acknowledged(message));
        break;
      case 'error': {
        const error = errorOf(message);
        if (message.fatal) this.#lastWords = error;
        else this.#tell((to) => to.warned(error));
        break;
      }
      default:
        this.#tell((to) => to.event(message));
    }
  }

  #tell(what: (listener: SocketListener) => void): void {
    if (this.#listener) what(this.#listener);
  }
}

function errorOf(message: { code: FailureCode; message: string; retryAfterMs?: number }): EarshotError {
  return new EarshotError(message.code, message.message, { retryAfterMs: message.retryAfterMs });
}
