import type { SessionEvent } from '../domain/event.ts';
import type { AudioFormat } from '../domain/options.ts';
import type { Session, SessionState } from '../domain/session.ts';
import { DEFAULT_AUDIO } from './audio-format.ts';
import { EarshotError } from './error.ts';
import { feedEntries, sessionEvents } from './events.ts';
import type { FollowOptions } from './follow.ts';
import { Http } from './http.ts';
import { LiveStream } from './live-stream.ts';
import type { LiveStreamOptions } from './live-stream-options.ts';
import { type CursorStore, savingCursor } from './saved-cursor.ts';
import type { WebSocketConstructor } from './socket.ts';
import { realTiming, type Timing } from './timing.ts';
import { type RecordingStream, type UploadOptions, upload } from './upload.ts';
import type {
  DeliveryAttempt,
  FeedEntry,
  OpenedSession,
  ResetEvent,
  SessionRequest,
  StreamTicket,
  TranscriptFormat,
} from './wire.ts';

/** Which gateway, and with what to reach it. */
export interface EarshotOptions {
  /** The gateway's address, e.g. `https://speech.example.org`. */
  readonly url: string | URL;
  /** For backends. Never ship it to a browser. */
  readonly apiKey?: string | undefined;
  /** An `ek_` token: opens one session's stream and events. */
  readonly token?: string | undefined;
  /** Where there is none built in (Node 20): the one of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** In the place of the runtime's own, e.g. with a proxy. */
  readonly fetch?: typeof fetch | undefined;
  /** Time and chance, for tests. */
  readonly timing?: Timing | undefined;
}

interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

interface CreateOptions extends RequestOptions {
  /** The same key sent twice makes one session. */
  readonly idempotencyKey?: string | undefined;
}

/** How the feed is read. */
export interface FeedOptions extends FollowOptions {
  /** Keeps the reader's place; `after` is then only where it begins the first time. */
  readonly saved?: CursorStore | undefined;
}

/** Everything a session was made with that another machine needs to stream into it. */
export interface SharedStream {
  readonly sessionId: string;
  readonly stream: StreamTicket;
  /** As the session was created with; 16 kHz mono s16 where left out. */
  readonly audio?: AudioFormat;
  /** Asked for a fresh token when a lost connection is to be taken up again; the first one is used where left out. */
  readonly renewToken?: ((signal: AbortSignal) => Promise<string>) | undefined;
}

/** A gateway, seen from outside. Every method throws {@link EarshotError} with the gateway's stable `code`. */
export class Earshot {
  readonly #http: Http;
  readonly #timing: Timing;
  readonly #WebSocket: WebSocketConstructor | undefined;

  constructor(options: EarshotOptions) {
    const { url, apiKey, token, fetch, timing } = options;
    this.#http = new Http({ url, credential: apiKey ?? token, fetch });
    this.#timing = timing ?? realTiming;
    this.#WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  }

  /** Opens a live session, to be streamed into here ({@link attach}) or elsewhere with its token. */
  createSession(request: SessionRequest = {}, options: CreateOptions = {}): Promise<OpenedSession> {
    return this.#create(request, options);
  }

  /** Opens a live session and streams into it. */
  async stream(request: SessionRequest = {}, options: LiveStreamOptions = {}): Promise<LiveStream> {
    const { id: sessionId, stream } = await this.createSession(request, { signal: options.signal });
    const audio = { ...DEFAULT_AUDIO, ...request.audio };
    const renewToken = async (signal: AbortSignal) => (await this.token(sessionId, { signal })).token;
    return this.attach({ sessionId, stream, audio, renewToken }, options);
  }

  /** Streams into a session opened elsewhere. */
  attach(
    { sessionId, stream, audio, renewToken }: SharedStream,
    options: LiveStreamOptions = {},
  ): LiveStream {
    const WebSocket = this.#WebSocket;
    if (!WebSocket)
      throw new TypeError('this runtime has no WebSocket: pass one, e.g. that of the package ws');
    let firstToken: string | null = stream.token;
    const address = async (lastSeq: number, signal: AbortSignal) => {
      const url = new URL(stream.url);
      const isFirst = firstToken !== null;
      url.searchParams.set('token', firstToken ?? (renewToken ? await renewToken(signal) : stream.token));
      // Also where nothing was heard before: what the lost connection was told would be missing.
      if (!isFirst) url.searchParams.set('after', String(lastSeq));
      firstToken = null;
      return url.href;
    };
    return new LiveStream(
      {
        sessionId,
        audio: audio ?? DEFAULT_AUDIO,
        WebSocket,
        timing: this.#timing,
        address,
        session: (signal) => this.session(sessionId, { signal }),
      },
      options,
    );
  }

  /** The session as it stands. */
  session(id: string, { signal }: RequestOptions = {}): Promise<Session> {
    return this.#http.json('GET', pathOf(id), { signal });
  }

  /** Newest first. `nextCursor` is null on the last page. */
  sessions(
    filter: { state?: SessionState; cursor?: string; limit?: number } = {},
    { signal }: RequestOptions = {},
  ): Promise<{ items: Session[]; nextCursor: string | null }> {
    return this.#http.json('GET', 'v1/sessions', { query: filter, signal });
  }

  /** The transcript so far, as text in the given format. */
  async transcript(id: string, format: TranscriptFormat, { signal }: RequestOptions = {}): Promise<string> {
    const response = await this.#http.call('GET', `${pathOf(id)}/transcript`, { query: { format }, signal });
    return response.text().catch((cause: unknown) => {
      throw new EarshotError('connection_lost', 'the transcript broke off', { cause });
    });
  }

  /** Stops the work, closes its sockets and erases. */
  async delete(id: string, { signal }: RequestOptions = {}): Promise<void> {
    await this.#http.call('DELETE', pathOf(id), { signal });
  }

  /** A short-lived token for a browser: this session's stream and events, nothing else. */
  token(
    id: string,
    { ttlSeconds, signal }: RequestOptions & { ttlSeconds?: number } = {},
  ): Promise<{ token: string; expiresAt: string }> {
    return this.#http.json('POST', `${pathOf(id)}/tokens`, {
      json: ttlSeconds === undefined ? {} : { ttlSeconds },
      signal,
    });
  }

  /** Sends a recording; the session it becomes can be followed by {@link events}. */
  upload(
    recording: Blob | RecordingStream,
    request: SessionRequest = {},
    options: UploadOptions = {},
  ): Promise<Session> {
    return upload(this.#http, recording, request, options);
  }

  /** Has the gateway fetch a recording by its address. */
  fetchRecording(
    audioUrl: string | URL,
    request: SessionRequest = {},
    options: CreateOptions = {},
  ): Promise<Session> {
    return this.#create({ ...request, audioUrl: String(audioUrl) }, options);
  }

  /**
   * Sends a recording and waits until it has been worked through.
   * @throws EarshotError the code of the failure where it could not be, with the `session`.
   */
  async transcribe(
    recording: Blob | RecordingStream,
    request: SessionRequest = {},
    options: UploadOptions = {},
  ): Promise<Session> {
    const { id } = await this.upload(recording, request, options);
    return await this.finished(id, { signal: options.signal });
  }

  /** Waits until a session has ended, and gives it. @throws EarshotError as {@link transcribe} does. */
  async finished(id: string, { signal }: RequestOptions = {}): Promise<Session> {
    for await (const _event of this.events(id, { signal }));
    const session = await this.session(id, { signal });
    if (session.error) throw new EarshotError(session.error.code, session.error.message, { session });
    return session;
  }

  /** What came of each attempt to send a session's webhook, in order. */
  async deliveries(id: string, { signal }: RequestOptions = {}): Promise<DeliveryAttempt[]> {
    const path = `${pathOf(id)}/deliveries`;
    return (await this.#http.json<{ items: DeliveryAttempt[] }>('GET', path, { signal })).items;
  }

  /** Sends a session's webhook again, as one more attempt. */
  redeliver(id: string, { signal }: RequestOptions = {}): Promise<Session> {
    return this.#http.json('POST', `${pathOf(id)}/redeliver`, { signal });
  }

  /** A session's events, from its beginning or after a seq, then live, until its end. */
  events(
    id: string,
    options: FollowOptions = {},
  ): AsyncGenerator<SessionEvent | ResetEvent, void, undefined> {
    return sessionEvents(this.#http, this.#timing, id, options);
  }

  /** Durable events of every session the key may see. `after: 0`: from the oldest kept; left out: from now on. */
  feed({ saved, ...options }: FeedOptions = {}): AsyncGenerator<FeedEntry, void, undefined> {
    const read = (after: FollowOptions['after']) =>
      feedEntries(this.#http, this.#timing, { ...options, after });
    return saved ? savingCursor(saved, (cursor) => read(cursor ?? options.after)) : read(options.after);
  }

  #create<T>(json: object, { idempotencyKey, signal }: CreateOptions): Promise<T> {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return this.#http.json('POST', 'v1/sessions', { json, headers, signal });
  }
}

const pathOf = (id: string): string => `v1/sessions/${encodeURIComponent(id)}`;
