/** A WebSocket client for tests: keeps every message, and waits for one. */
import { WebSocket } from 'ws';

export interface Message {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape.
  readonly [field: string]: any;
}

export class TestSocket {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number }>;
  #wake: (() => void)[] = [];

  constructor(url: string, options: { protocols?: string[]; headers?: Record<string, string> } = {}) {
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), options.protocols ?? [], {
      headers: options.headers ?? {},
    });
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)));
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.closed = new Promise((resolve, reject) => {
      this.socket.on('close', (code) => {
        resolve({ code });
        for (const wake of this.#wake.splice(0)) wake();
      });
      this.socket.on('error', reject);
    });
    this.closed.catch(() => {});
  }

  /** The first message of a type, as soon as it has come. */
  async next(type: string, matches: (message: Message) => boolean = () => true): Promise<Message> {
    for (;;) {
      const found = this.messages.find((message) => message.type === type && matches(message));
      if (found) return found;
      if (this.socket.readyState === WebSocket.CLOSED)
        throw new Error(
          `closed before ${type}; got ${this.messages.map((message) => message.type).join(', ')}`,
        );
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** All messages of a type so far. */
  all(type: string): Message[] {
    return this.messages.filter((message) => message.type === type);
  }

  send(message: object | Uint8Array | string): void {
    this.socket.send(
      message instanceof Uint8Array || typeof message === 'string' ? message : JSON.stringify(message),
    );
  }

  /** Sends audio in frames of `frameBytes`. */
  async sendAudio(bytes: Uint8Array, frameBytes = 6400, pauseMs = 0): Promise<void> {
    await this.next('session.ready');
    for (let at = 0; at < bytes.length; at += frameBytes) {
      this.send(bytes.subarray(at, at + frameBytes));
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
