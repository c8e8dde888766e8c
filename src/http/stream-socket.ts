/** One WebSocket connection to one live session: its messages, acknowledgements, events and close. */
import type { RawData, WebSocket } from 'ws';
import { Failure } from '../domain/failure.ts';
import { hasEnded, type SessionRecord } from '../domain/session.ts';
import { follow } from '../session/follow.ts';
import type { LiveSession } from '../session/live.ts';
import type { Connection } from '../session/live-parts.ts';
import { readSeq } from './cursor.ts';
import type { HttpParts } from './parts.ts';
import { closeCodeOf, retryAfterMsOf } from './problem.ts';
import { readMessage } from './stream-message.ts';

const ACK_EVERY_MS = 500;
const PING_EVERY_MS = 20_000;

/** How long the last events may take to reach a client before its socket is closed regardless. */
const FLUSH_MS = 5000;

/** Bytes waiting in the socket's own buffer before the next event waits too. */
const SEND_WAITING_BYTES = 1024 * 1024;

export class StreamSocket implements Connection {
  readonly #ws: WebSocket;
  readonly #parts: HttpParts;
  readonly #gone = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #session: LiveSession | null = null;
  #following: Promise<void> = Promise.resolve();
  #work: Promise<void> = Promise.resolve();
  #unhandled = 0;
  #audioCame = false;
  #closing = false;

  constructor(ws: WebSocket, parts: HttpParts) {
    this.#ws = ws;
    this.#parts = parts;
  }

  /**
   * Serves the connection until it closes.
   * @param find Authenticates and finds the session, or creates it.
   * @param after The seq after which to replay durable events; undefined for none.
   */
  serve(find: () => Promise<SessionRecord>, after: string | undefined): void {
    this.#ws.on('message', (data, isBinary) => this.#queue(() => this.#handle(data, isBinary)));
    this.#ws.on('error', () => {});
    this.#ws.on('close', () => {
      this.#gone.abort();
      for (const timer of this.#timers) clearInterval(timer);
      // After what was received before: an audio.end may still be among it.
      this.#queue(async () => this.#session?.detach(this));
    });
    this.#queue(() => this.#begin(find, after));
  }

  /** @inheritdoc */
  close(reason: Failure | 'done'): void {
    if (this.#closing) return;
    this.#closing = true;
    void this.#close(reason);
  }

  async #close(reason: Failure | 'done'): Promise<void> {
    // A session that ended says so in its last event, which must be out before the close.
    const superseded = reason !== 'done' && (reason.code === 'replaced' || reason.code === 'shutting_down');
    if (!superseded) await Promise.race([this.#following.catch(() => {}), this.#delay(FLUSH_MS)]);
    if (reason === 'done') {
      this.#ws.close(1000);
      return;
    }
    this.#send(this.#errorMessage(reason, true));
    this.#ws.close(closeCodeOf(reason.code));
  }

  /** Works messages off one after another; the socket is not read while one is being worked on. */
  #queue(work: () => Promise<void>): void {
    if (this.#unhandled++ === 0) this.#ws.pause();
    this.#work = this.#work
      .then(work)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        if (--this.#unhandled === 0) this.#ws.resume();
      });
  }

  async #begin(find: () => Promise<SessionRecord>, after: string | undefined): Promise<void> {
    const seq = after === undefined ? undefined : readSeq(after);
    const record = await find();
    if (this.#gone.signal.aborted) return;
    // Its client may not know yet: the connection was lost before the last events got through.
    if (seq !== undefined && hasEnded(record.state)) await this.#follow(record.id, seq);
    const session = await this.#parts.directory.open(record);
    const { resumed, from } = await session.attach(this);
    this.#session = session;
    if (this.#gone.signal.aborted || this.#closing) return session.detach(this);

    const { maxFrameBytes, idleMs, maxSessionMs } = this.#parts.limits;
    this.#send({
      type: 'session.ready',
      sessionId: record.id,
      resumed,
      resumeFromSample: session.resumeSample(from),
      audio: record.options.audio,
      limits: { maxFrameBytes, idleMs, maxSessionMs },
    });
    this.#following = this.#follow(record.id, seq ?? session.lastSeq);
    this.#following.catch((error: unknown) => this.#fail(error));
    this.#acknowledge(session);
    this.#keepAlive();
  }

  async #handle(data: RawData, isBinary: boolean): Promise<void> {
    const session = this.#session;
    if (!session || this.#closing) return;
    const bytes = data as Buffer;
    const { maxFrameBytes } = this.#parts.limits;
    if (bytes.length > maxFrameBytes)
      throw new Failure('frame_too_large', `A message may have ${maxFrameBytes} bytes at most.`);
    if (isBinary) {
      this.#audioCame = true;
      return await session.push(this, bytes);
    }
    const message = readMessage(bytes.toString('utf8'));
    switch (message.type) {
      case 'utterance.commit':
        return await session.commit(this);
      case 'audio.end':
        return await session.end(this);
      case 'unknown':
        this.#send(
          this.#errorMessage(new Failure('bad_message', `There is no message ${message.given}.`), false),
        );
    }
  }

  async #follow(sessionId: string, after: number): Promise<void> {
    for await (const event of follow(sessionId, after, this.#parts, this.#gone.signal)) {
      if (this.#ws.readyState !== this.#ws.OPEN) return;
      this.#send(event);
      while (this.#ws.bufferedAmount > SEND_WAITING_BYTES && !this.#gone.signal.aborted)
        await this.#delay(50);
    }
  }

  #acknowledge(session: LiveSession): void {
    let told = '';
    this.#every(ACK_EVERY_MS, () => {
      const ack = { type: 'audio.ack', ...session.position() };
      const text = JSON.stringify(ack);
      // Also where nothing is new while audio flows: a container may take a while to give any sound.
      if ((text === told && !this.#audioCame) || this.#closing) return;
      told = text;
      this.#audioCame = false;
      this.#send(ack);
    });
  }

  /** Ends a connection whose peer has not answered the last ping: it is gone without a word. */
  #keepAlive(): void {
    let answered = true;
    this.#ws.on('pong', () => {
      answered = true;
    });
    this.#every(PING_EVERY_MS, () => {
      if (!answered && this.#unhandled === 0) this.#ws.terminate();
      answered = false;
      this.#ws.ping();
    });
  }

  #fail(error: unknown): void {
    if (this.#gone.signal.aborted) return;
    if (!(error instanceof Failure)) this.#parts.logger.error({ err: error }, 'a stream failed');
    const reason =
      error instanceof Failure ? error : new Failure('internal', 'The connection failed on our side.');
    this.close(reason);
  }

  #errorMessage(reason: Failure, fatal: boolean): object {
    const retryAfterMs = retryAfterMsOf(reason);
    const { code, message } = reason;
    return { type: 'error', code, message, fatal, ...(retryAfterMs && { retryAfterMs }) };
  }

  #send(message: object): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(JSON.stringify(message));
  }

  #every(intervalMs: number, act: () => void): void {
    this.#timers.push(setInterval(act, intervalMs));
  }

  #delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}
