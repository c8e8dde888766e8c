/** One Realtime connection: its configuration, the messages of its client, and the sessions of ours it speaks to. */
import { isDeepStrictEqual } from 'node:util';
import type { WebSocket } from 'ws';
import { Failure } from '../../domain/failure.ts';
import type { HttpParts } from '../parts.ts';
import { closeCodeOf } from '../problem.ts';
import { Socket, type SocketHandler } from '../socket.ts';
import { type OpenAiError, openAiErrorOf } from './problem.ts';
import { initialSettings, type RealtimeSettings, sessionOptionsOf, updated } from './realtime-config.ts';
import type { ServerEvent, SessionObject } from './realtime-events.ts';
import { step } from './realtime-items.ts';
import { type ItemsInput, noItems } from './realtime-items-state.ts';
import { type LegOwner, RealtimeLeg } from './realtime-leg.ts';
import { type ClientEvent, readClientEvent } from './realtime-messages.ts';

/** The least audio that can be committed, as OpenAI has it. */
const LEAST_COMMIT_MS = 100;

/** Who connects, and the configuration to begin with. */
export interface Admitted {
  readonly tenantId: string;
  readonly settings: RealtimeSettings;
}

export class RealtimeSocket implements SocketHandler, LegOwner {
  readonly #socket: Socket;
  readonly #parts: HttpParts;
  /** Ids of this connection's end in it. */
  readonly #id: string;
  readonly #expiresAtMs: number;
  readonly #cancelExpiry: () => void;
  #tenantId = '';
  #settings: RealtimeSettings;
  #items = noItems(true);
  #leg: RealtimeLeg | null = null;
  /** All audio written so far, where no session takes any. */
  #writtenMs = 0;
  #eventsSent = 0;
  #closing = false;

  constructor(ws: WebSocket, parts: HttpParts) {
    const { clock, newId, limits, abilities } = parts;
    this.#parts = parts;
    this.#id = bare(newId('req'));
    this.#settings = initialSettings(abilities.modelName);
    this.#expiresAtMs = clock.now() + limits.maxSessionMs;
    this.#socket = new Socket(ws, this, parts);
    this.#cancelExpiry = clock.after(limits.maxSessionMs, () =>
      this.over(new Failure('session_too_long', 'The connection has reached its longest time.')),
    );
  }

  /** Serves the connection until it closes. @param admit Finds out who it is, and what was laid down for it. */
  serve(admit: () => Promise<Admitted>): void {
    this.#socket.queue(async () => {
      const { tenantId, settings } = await admit();
      this.#tenantId = tenantId;
      this.#settings = settings;
      this.#items = noItems(settings.audio.input.turn_detection !== null);
      this.#send({ type: 'session.created', session: this.#session() });
      this.#socket.keepAlive();
    });
  }

  /** @inheritdoc */
  async message(bytes: Buffer, isBinary: boolean): Promise<void> {
    if (this.#closing) return;
    const { eventId, event } = isBinary
      ? { eventId: null, event: new Failure('bad_message', 'Audio is sent as base64, in text messages.') }
      : readClientEvent(bytes.toString('utf8'));
    if (event instanceof Failure) this.#sendError(openAiErrorOf(event), eventId);
    else await this.#act(event, eventId);
    await this.#socket.drained();
  }

  /** @inheritdoc */
  async gone(): Promise<void> {
    this.#cancelExpiry();
    await this.#leg?.end();
  }

  /** @inheritdoc */
  failed(reason: Failure): void {
    this.over(reason);
  }

  /** @inheritdoc */
  heard(input: ItemsInput): void {
    const [items, told] = step(this.#items, input);
    this.#items = items;
    for (const event of told) this.#send(event);
  }

  /** @inheritdoc */
  over(reason: Failure): void {
    if (this.#closing) return;
    this.#closing = true;
    void this.#close(reason);
  }

  async #close(reason: Failure): Promise<void> {
    await this.#leg?.caughtUp();
    const error = openAiErrorOf(reason);
    const { code, message } = error;
    this.heard({ kind: 'broken', error: { code, message } });
    this.#sendError(error, null);
    this.#socket.close(closeCodeOf(reason.code), `${error.type}.${code}`);
  }

  async #act(event: ClientEvent, eventId: string | null): Promise<void> {
    switch (event.type) {
      case 'session.update':
        return await this.#update(event.session, eventId);
      case 'input_audio_buffer.append':
        return await this.#append(event.audio);
      case 'input_audio_buffer.commit':
        return await this.#commit(eventId);
      case 'input_audio_buffer.clear': {
        const leg = await this.#live();
        const atMs = this.#positionMs();
        await leg?.clear();
        return this.heard({ kind: 'clear', atMs });
      }
    }
  }

  async #update(given: unknown, eventId: string | null): Promise<void> {
    let settings: RealtimeSettings;
    try {
      settings = updated(this.#settings, given, this.#parts.abilities);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return this.#sendError(openAiErrorOf(error), eventId);
    }
    // A session keeps what it began with: it ends here, all that was said in it told, and the next one goes on.
    if (!isDeepStrictEqual(sessionOptionsOf(settings), sessionOptionsOf(this.#settings)))
      await this.#endLeg();
    this.#settings = settings;
    const isOn = settings.audio.input.turn_detection !== null;
    if (isOn !== this.#items.detects)
      this.heard({ kind: 'detection', isOn, itemId: this.#newItemId(), atMs: this.#positionMs() });
    this.#send({ type: 'session.updated', session: this.#session() });
  }

  async #append(audio: Buffer): Promise<void> {
    if (audio.length === 0) return;
    const leg = (await this.#live()) ?? (await this.#open());
    if (!this.#closing) await leg.push(audio);
  }

  async #commit(eventId: string | null): Promise<void> {
    const leg = await this.#live();
    const atMs = this.#positionMs();
    const bufferedMs = atMs - this.#items.fromMs;
    if (bufferedMs < LEAST_COMMIT_MS) return this.#sendError(tooLittle(bufferedMs), eventId);
    this.heard({ kind: 'commit', itemId: this.#newItemId(), atMs });
    if (leg) await leg.commit();
    else this.heard({ kind: 'settled' });
  }

  /** The session that takes audio; null for none. One that ended by itself has told all by then. */
  async #live(): Promise<RealtimeLeg | null> {
    if (this.#leg?.takesAudio === false) await this.#endLeg();
    return this.#leg;
  }

  async #open(): Promise<RealtimeLeg> {
    const options = sessionOptionsOf(this.#settings);
    const start = { tenantId: this.#tenantId, options, fromMs: this.#writtenMs };
    this.#leg = await RealtimeLeg.open(start, this, this.#socket, this.#parts);
    return this.#leg;
  }

  async #endLeg(): Promise<void> {
    await this.#leg?.end();
    this.#writtenMs = this.#leg?.positionMs ?? this.#writtenMs;
    this.#leg = null;
  }

  #positionMs(): number {
    return Math.ceil(this.#leg?.positionMs ?? this.#writtenMs);
  }

  #session(): SessionObject {
    const id = `sess_${this.#id}`;
    const expires_at = Math.floor(this.#expiresAtMs / 1000);
    return { id, object: 'realtime.transcription_session', expires_at, ...this.#settings };
  }

  #newItemId(): string {
    return `item_${bare(this.#parts.newId('utt'))}`;
  }

  #sendError(error: OpenAiError, eventId: string | null): void {
    this.#send({ type: 'error', error: { ...error, event_id: eventId } });
  }

  #send(event: ServerEvent): void {
    const event_id = `event_${this.#id}_${++this.#eventsSent}`;
    this.#socket.send({ event_id, ...event });
  }
}

/** An id without its prefix: OpenAI's ids have others. */
const bare = (id: string): string => id.slice(id.indexOf('_') + 1);

const tooLittle = (bufferedMs: number): OpenAiError => ({
  type: 'invalid_request_error',
  code: 'input_audio_buffer_commit_empty',
  message: `There is too little to commit: ${LEAST_COMMIT_MS} ms of audio at least, and there are ${bufferedMs}.`,
  param: null,
});
