/** One WebSocket connection to one live session: its messages, acknowledgements, events and close. */
import type { WebSocket } from 'ws';
import { Failure } from '../domain/failure.ts';
import { hasEnded, type SessionRecord } from '../domain/session.ts';
import type { LiveSession } from '../session/live.ts';
import type { Connection } from '../session/live-parts.ts';
import { readSeq } from './cursor.ts';
import type { HttpParts } from './parts.ts';
import { closeCodeOf, retryAfterMsOf } from './problem.ts';
import { Socket, type SocketHandler, settledSoon } from './socket.ts';
import { readMessage } from './stream-message.ts';

const ACK_EVERY_MS = 500;

export class StreamSocket implements Connection, SocketHandler {
  readonly #socket: Socket;
  readonly #parts: HttpParts;
  #session: LiveSession | null = null;
  #following: Promise<void> = Promise.resolve();
  #audioCame = false;
  #closing = false;

  constructor(ws: WebSocket, parts: HttpParts) {
    this.#parts = parts;
    this.#socket = new Socket(ws, this, parts);
  }

  /**
   * Serves the connection until it closes.
   * @param find Authenticates and finds the session, or creates it.
   * @param after The seq after which to replay durable events; undefined for none.
   */
  serve(find: () => Promise<SessionRecord>, after: string | undefined): void {
    this.#socket.queue(() => this.#begin(find, after));
  }

  /** @inheritdoc */
  close(reason: Failure | 'done'): void {
    if (this.#closing) return;
    this.#closing = true;
    void this.#close(reason);
  }

  /** @inheritdoc */
  failed(reason: Failure): void {
    this.close(reason);
  }

  /** @inheritdoc */
  async gone(): Promise<void> {
    this.#session?.detach(this);
  }

  /** @inheritdoc */
  async message(bytes: Buffer, isBinary: boolean): Promise<void> {
    const session = this.#session;
    if (!session || this.#closing) return;
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
        return void (await session.commit(this));
      case 'audio.end':
        return await session.end(this);
      case 'unknown':
        this.#socket.send(
          errorMessage(new Failure('bad_message', `There is no message ${message.given}.`), false),
        );
    }
  }

  async #close(reason: Failure | 'done'): Promise<void> {
    // A session that ended says so in its last event, which must be out before the close.
    const superseded = reason !== 'done' && (reason.code === 'replaced' || reason.code === 'shutting_down');
    if (!superseded) await settledSoon(this.#following);
    if (reason === 'done') return this.#socket.close(1000);
    this.#socket.send(errorMessage(reason, true));
    this.#socket.close(closeCodeOf(reason.code));
  }

  async #begin(find: () => Promise<SessionRecord>, after: string | undefined): Promise<void> {
    const seq = after === undefined ? undefined : readSeq(after);
    const record = await find();
    if (this.#socket.gone.aborted) return;
    // Its client may not know yet: the connection was lost before the last events got through.
    if (seq !== undefined && hasEnded(record.state)) await this.#follow(record.id, seq);
    const session = await this.#parts.directory.open(record);
    const { resumed, from } = await session.attach(this);
    this.#session = session;
    if (this.#socket.gone.aborted || this.#closing) return session.detach(this);

    const { maxFrameBytes, idleMs, maxSessionMs } = this.#parts.limits;
    this.#socket.send({
      type: 'session.ready',
      sessionId: record.id,
      resumed,
      resumeFromSample: session.resumeSample(from),
      audio: record.options.audio,
      limits: { maxFrameBytes, idleMs, maxSessionMs },
    });
    this.#following = this.#follow(record.id, seq ?? session.lastSeq);
    this.#following.catch((error: unknown) => this.#socket.fail(error));
    this.#acknowledge(session);
    this.#socket.keepAlive();
  }

  #follow(sessionId: string, after: number): Promise<void> {
    return this.#socket.follow(sessionId, after, (event) => this.#socket.send(event));
  }

  #acknowledge(session: LiveSession): void {
    let told = '';
    this.#socket.every(ACK_EVERY_MS, () => {
      const ack = { type: 'audio.ack', ...session.position() };
      const text = JSON.stringify(ack);
      // Also where nothing is new while audio flows: a container may take a while to give any sound.
      if ((text === told && !this.#audioCame) || this.#closing) return;
      told = text;
      this.#audioCame = false;
      this.#socket.send(ack);
    });
  }
}

function errorMessage(reason: Failure, fatal: boolean): object {
  const retryAfterMs = retryAfterMsOf(reason);
  const { code, message } = reason;
  return { type: 'error', code, message, fatal, ...(retryAfterMs && { retryAfterMs }) };
}
