/** What every WebSocket of this server does, whatever is spoken over it: one message after another, and no more than fits. */
import type { RawData, WebSocket } from 'ws';
import type { SessionEvent } from '../domain/event.ts';
import { Failure } from '../domain/failure.ts';
import { follow } from '../session/follow.ts';
import type { HttpParts } from './parts.ts';

const PING_EVERY_MS = 20_000;

/** How long the last words may take to reach a client before its socket is closed regardless. */
const FLUSH_MS = 5000;

/** Bytes waiting in the socket's own buffer before the next event waits too. */
const SEND_WAITING_BYTES = 1024 * 1024;

/** What is done with what comes over a socket. */
export interface SocketHandler {
  /** Called for one message at a time; nothing is read meanwhile. What it throws goes to `failed`. */
  message(bytes: Buffer, isBinary: boolean): Promise<void>;
  /** The connection is gone; called after the last message was handled. */
  gone(): Promise<void>;
  /** Something failed: a {@link Failure} in all cases, which the client is to be told. */
  failed(reason: Failure): void;
}

export class Socket {
  /** Aborted when the connection is gone. */
  readonly gone: AbortSignal;
  readonly #ws: WebSocket;
  readonly #parts: HttpParts;
  readonly #handler: SocketHandler;
  readonly #gone = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #work: Promise<void> = Promise.resolve();
  #unhandled = 0;

  constructor(ws: WebSocket, handler: SocketHandler, parts: HttpParts) {
    this.#ws = ws;
    this.#handler = handler;
    this.#parts = parts;
    this.gone = this.#gone.signal;
    ws.on('message', (data: RawData, isBinary) =>
      this.queue(() => handler.message(data as Buffer, isBinary)),
    );
    ws.on('error', () => {});
    ws.on('close', () => {
      this.#gone.abort();
      for (const timer of this.#timers) clearInterval(timer);
      // After what was received before: an end of the audio may still be among it.
      this.queue(() => handler.gone());
    });
  }

  /** Whether it still takes what is sent. */
  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  /** Has work done after all that came before; the socket is not read while there is any. */
  queue(work: () => Promise<void>): void {
    if (this.#unhandled++ === 0) this.#ws.pause();
    this.#work = this.#work
      .then(work)
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        if (--this.#unhandled === 0) this.#ws.resume();
      });
  }

  /** Sends a message as JSON, while the connection lasts. */
  send(message: object): void {
    if (this.isOpen) this.#ws.send(JSON.stringify(message));
  }

  /** Resolves when little enough waits to be sent, or the connection is gone. */
  async drained(): Promise<void> {
    while (this.#ws.bufferedAmount > SEND_WAITING_BYTES && !this.gone.aborted) await delay(50);
  }

  /** Hands on every event of a session with a seq above `after`, no faster than the client takes what comes of it. */
  async follow(sessionId: string, after: number, tell: (event: SessionEvent) => void): Promise<void> {
    for await (const event of follow(sessionId, after, this.#parts, this.gone)) {
      if (!this.isOpen) return;
      tell(event);
      await this.drained();
    }
  }

  /** Acts at intervals while the connection lasts. */
  every(intervalMs: number, act: () => void): void {
    this.#timers.push(setInterval(act, intervalMs));
  }

  /** Ends a connection whose peer has not answered the last ping: it is gone without a word. */
  keepAlive(): void {
    let answered = true;
    this.#ws.on('pong', () => {
      answered = true;
    });
    this.every(PING_EVERY_MS, () => {
      if (!answered && this.#unhandled === 0) this.#ws.terminate();
      answered = false;
      this.#ws.ping();
    });
  }

  /** Tells the handler of a failure, unless nobody is there any more; what is no {@link Failure} is our own. */
  fail(error: unknown): void {
    if (this.gone.aborted) return;
    if (!(error instanceof Failure)) this.#parts.logger.error({ err: error }, 'a stream failed');
    const reason =
      error instanceof Failure ? error : new Failure('internal', 'The connection failed on our side.');
    this.#handler.failed(reason);
  }

  close(code: number, reason?: string): void {
    this.#ws.close(code, reason);
  }
}

/** Resolves once work is done, however that went, or after {@link FLUSH_MS}. */
export async function settledSoon(work: Promise<unknown>): Promise<void> {
  await Promise.race([work.catch(() => {}), delay(FLUSH_MS)]);
}

const delay = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
