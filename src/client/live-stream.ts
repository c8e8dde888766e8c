import type { SessionEvent } from '../domain/event.ts';
import type { Receipt } from '../domain/receipt.ts';
import { type AudioPiece, type AudioSource, bytesOf, piecesOf } from './audio-source.ts';
import {
  begin,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  step,
} from './connection.ts';
import { asEarshotError, EarshotError, mayPass } from './error.ts';
import { EventQueue } from './event-queue.ts';
import type { LiveStreamOptions, StreamStatus, StreamTarget } from './live-stream-options.ts';
import { Socket, type SocketListener } from './socket.ts';
import { inTime } from './timing.ts';
import { Transmitter } from './transmitter.ts';
import type { AckMessage, ReadyMessage } from './wire.ts';

const FIRST_CONNECTION_MS = 10_000;
const PATIENCE_MS = 60_000;
const HANDSHAKE_MS = 10_000;
/** The gateway acknowledges once a second while audio flows and gives up on dead peers after as long as this. */
const SILENCE_MS = 45_000;
const MAX_HELD_BYTES = 8 * 1024 * 1024;
const MAX_WAITING_EVENTS = 10_000;

/**
 * A live session: audio in by `send`, events out by iteration, the receipt at the end. A lost connection is
 * taken up again by itself, from the sample the gateway asks for, out of the audio kept for that.
 */
export class LiveStream implements AsyncIterable<SessionEvent> {
  /** Settles with the session: its receipt after `session.done`, else the reason why there is none. */
  readonly receipt: Promise<Receipt>;
  readonly #target: StreamTarget;
  readonly #options: LiveStreamOptions;
  readonly #transmitter: Transmitter;
  readonly #events = new EventQueue<SessionEvent>(MAX_WAITING_EVENTS);
  readonly #listener: SocketListener;
  #state: ConnectionState;
  #status: StreamStatus = 'connecting';
  #socket: Socket | null = null;
  #maxFrameBytes = 0;
  #lastSeq = 0;
  #acknowledged = { receivedSamples: 0, committedSamples: 0 };
  #endCalled = false;
  /** Why no more audio can be taken. */
  #over: EarshotError | null = null;
  #cancelRetry: () => void = () => {};
  #cancelWatch: () => void = () => {};
  #settle!: { resolve: (receipt: Receipt) => void; reject: (error: EarshotError) => void };

  constructor(target: StreamTarget, options: LiveStreamOptions = {}) {
    const { audio, timing } = target;
    this.#target = target;
    this.#options = options;
    this.#transmitter = new Transmitter(audio, options.maxHeldBytes ?? MAX_HELD_BYTES, timing);
    this.#listener = {
      ready: (message) => this.#onReady(message),
      acknowledged: (message) => this.#onAcknowledged(message),
      event: (event) => this.#onEvent(event),
      warned: (error) => this.#options.onWarning?.(error),
      closed: (code, error) => this.#apply({ kind: 'lost', code, error }),
    };
    this.receipt = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever iterates hears of a failure there; the promise must not also count as unhandled.
    this.receipt.catch(() => {});
    this.#state = begin(timing.now(), FIRST_CONNECTION_MS);
    this.#connect();
    this.#abortWith(options.signal);
  }

  get sessionId(): string {
    return this.#target.sessionId;
  }

  get status(): StreamStatus {
    return this.#status;
  }

  /** How far the gateway is, by its last acknowledgement, in samples at the declared rate. */
  get acknowledged(): { readonly receivedSamples: number; readonly committedSamples: number } {
    return this.#acknowledged;
  }

  /**
   * Hands over audio, in pieces of any size; it is sent when there is a connection that takes it. The bytes are
   * not copied: they must not be changed afterwards.
   * @throws EarshotError `buffer_full` where too much waits already (see {@link ready}), `session_ended` after
   * `end()`, or the failure that ended the stream.
   */
  send(audio: AudioPiece): void {
    if (this.#over) throw this.#over;
    if (this.#endCalled) throw new EarshotError('session_ended', 'end() was called: no more audio is taken');
    this.#transmitter.add(bytesOf(audio));
  }

  /**
   * Sends all that a source gives, reading on only while there is room. Does not end the stream.
   * @throws As `send` and `ready` do, having stopped the source; what the source throws.
   */
  async sendAll(source: AudioSource): Promise<void> {
    for await (const piece of piecesOf(source)) {
      await this.ready();
      this.send(piece);
    }
  }

  /** Resolves when there is room for more audio; rejects where there will never be. For sources that can wait. */
  async ready(): Promise<void> {
    await this.#transmitter.room();
    if (this.#over) throw this.#over;
  }

  /** Ends the utterance here, whether or not anybody fell silent. */
  commit(): void {
    this.#transmitter.commit();
  }

  /**
   * No more audio. The gateway finishes every final and the language model's answer, then gives its receipt.
   * @throws EarshotError the failure that ended the session.
   */
  end(): Promise<Receipt> {
    if (!this.#endCalled) this.#apply({ kind: 'end' });
    this.#endCalled = true;
    return this.receipt;
  }

  /** The session's events, each once. For one reader at a time. */
  [Symbol.asyncIterator](): AsyncIterator<SessionEvent, void, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  #apply(event: ConnectionEvent): void {
    const { timing } = this.#target;
    const [state, effects] = step(this.#state, event, {
      nowMs: timing.now(),
      random: timing.random(),
      patienceMs: this.#options.patienceMs ?? PATIENCE_MS,
      resumable: this.#transmitter.resumable,
    });
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    const status = statusOf(this.#state);
    if (status === this.#status) return;
    this.#status = status;
    this.#options.onStatus?.(status);
  }

  #carryOut(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.#connect();
        break;
      case 'wait':
        this.#disconnect();
        this.#cancelRetry = this.#target.timing.after(effect.delayMs, () => this.#apply({ kind: 'retry' }));
        break;
      case 'sendFrom':
        this.#sendFrom(effect.sample);
        break;
      case 'sendEnd':
        this.#transmitter.end();
        break;
      case 'close':
        this.#disconnect();
        this.#transmitter.stop();
        break;
      case 'reject':
        this.#reject(effect.error);
        break;
    }
  }

  #connect(): void {
    const { address, WebSocket } = this.#target;
    inTime(this.#target.timing, HANDSHAKE_MS, (signal) => address(this.#lastSeq, signal)).then(
      (url) => {
        if (this.#state.kind !== 'connecting') return;
        try {
          this.#socket = new Socket(WebSocket, url, this.#listener);
        } catch (cause) {
          // Not an address of a WebSocket, or one that this page may not open (`ws:` from `https:`).
          const message = `no WebSocket can be opened to ${new URL(url).origin}`;
          return this.#apply({ kind: 'fail', error: new EarshotError('unreachable', message, { cause }) });
        }
        this.#watch(HANDSHAKE_MS);
      },
      (error: unknown) => {
        if (mayPass(error)) this.#apply({ kind: 'lost', code: 1006, error });
        else this.#apply({ kind: 'fail', error: asEarshotError(error) });
      },
    );
  }

  #disconnect(): void {
    this.#cancelRetry();
    this.#cancelWatch();
    this.#transmitter.pause();
    this.#socket?.drop();
    this.#socket = null;
  }

  #onReady({ resumeFromSample, limits }: ReadyMessage): void {
    this.#watch(SILENCE_MS);
    this.#maxFrameBytes = limits.maxFrameBytes;
    this.#apply({ kind: 'ready', resumeFromSample });
  }

  #onAcknowledged({ receivedSamples, committedSamples }: AckMessage): void {
    this.#watch(SILENCE_MS);
    this.#acknowledged = { receivedSamples, committedSamples };
    this.#transmitter.committed(committedSamples);
  }

  #onEvent(event: SessionEvent): void {
    this.#watch(SILENCE_MS);
    if ('seq' in event) {
      if (event.seq <= this.#lastSeq) return;
      this.#lastSeq = event.seq;
    }
    this.#events.push(event);
    if (event.type === 'session.done') {
      this.#settle.resolve(event.receipt);
      this.#finish(new EarshotError('session_ended', 'the session is done: no more audio is taken'));
    } else if (event.type === 'session.failed') {
      const error = new EarshotError(event.error.code, event.error.message);
      this.#settle.reject(error);
      this.#finish(error);
    }
  }

  #finish(over: EarshotError): void {
    this.#over = over;
    this.#events.end(null);
    this.#apply({ kind: 'finished' });
  }

  /** Tells why there will be no receipt, with what the gateway has stored where that can be read. */
  async #reject(error: EarshotError): Promise<void> {
    this.#over = error;
    const { timing, session: read } = this.#target;
    const stored = () => inTime(timing, HANDSHAKE_MS, read).catch(() => undefined);
    const session = error.code === 'aborted' ? undefined : await stored();
    const told = error.withSession(session);
    this.#over = told;
    this.#settle.reject(told);
    this.#events.end(told);
  }

  #sendFrom(sample: number): void {
    if (this.#transmitter.start(this.#socket!, sample, this.#maxFrameBytes)) return;
    const message = `the gateway asks for sample ${sample}, which is no longer held`;
    this.#apply({ kind: 'fail', error: new EarshotError('not_resumable', message) });
  }

  /** Takes the connection for lost unless something is heard within `silenceMs`. */
  #watch(silenceMs: number): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#target.timing.after(silenceMs, () => this.#socket?.abandon());
  }

  #abortWith(signal: AbortSignal | undefined): void {
    const abort = () =>
      this.#apply({ kind: 'fail', error: new EarshotError('aborted', 'the stream was given up') });
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const settled = () => signal?.removeEventListener('abort', abort);
    this.receipt.then(settled, settled);
  }
}

function statusOf(state: ConnectionState): StreamStatus {
  switch (state.kind) {
    case 'connecting':
    case 'waiting':
      return state.resuming ? 'reconnecting' : 'connecting';
    default:
      return state.kind;
  }
}
