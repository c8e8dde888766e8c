/** What travels over the WebSocket and the SSE streams besides the events of the domain. */
import type { Attempt } from '../domain/delivery.ts';
import type { DurableEvent, SessionEvent } from '../domain/event.ts';
import type { FailureCode } from '../domain/failure.ts';
import type { AudioFormat, EndpointingOptions, LlmOptions, Task } from '../domain/options.ts';
import type { Session } from '../domain/session.ts';

/** What may be asked of a session; whatever is left out takes the gateway's default. */
export interface SessionRequest {
  /** BCP 47, or `auto`. */
  readonly language?: string;
  /** `translate`: the text is English whatever is spoken. */
  readonly task?: Task;
  readonly model?: string;
  readonly audio?: Partial<AudioFormat>;
  readonly partials?: boolean;
  readonly words?: boolean;
  readonly prompt?: string;
  readonly endpointing?: Partial<EndpointingOptions>;
  /** `true`: summarise at the end. */
  readonly llm?: boolean | Partial<LlmOptions>;
  readonly webhook?: { readonly url: string };
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Where and with what a live session's audio is to be sent. */
export interface StreamTicket {
  /** `ws:` or `wss:`, absolute, without the token. */
  readonly url: string;
  /** Short-lived, for this session only. */
  readonly token: string;
  /** ISO 8601 UTC. */
  readonly expiresAt: string;
}

/** A live session just opened. */
export type OpenedSession = Session & { readonly stream: StreamTicket };

/** The gateway's first words on a connection. */
export interface ReadyMessage {
  readonly type: 'session.ready';
  readonly sessionId: string;
  readonly resumed: boolean;
  /** Sample 0 of this connection, counted at the session's declared rate. */
  readonly resumeFromSample: number;
  readonly audio: AudioFormat;
  readonly limits: { readonly maxFrameBytes: number; readonly idleMs: number; readonly maxSessionMs: number };
}

/** How far the gateway is. What is committed is reflected in stored events and never needed again. */
export interface AckMessage {
  readonly type: 'audio.ack';
  readonly receivedSamples: number;
  readonly committedSamples: number;
}

/** A complaint; `fatal` where the close of the connection follows. */
export interface ErrorMessage {
  readonly type: 'error';
  readonly code: FailureCode;
  readonly message: string;
  readonly fatal: boolean;
  readonly retryAfterMs?: number;
}

/** Everything the gateway says on a stream. */
export type ServerMessage = ReadyMessage | AckMessage | ErrorMessage | SessionEvent;

/** The cursor is older than what is kept: events are missing before the ones that follow. */
export interface ResetEvent {
  readonly type: 'reset';
}

/** An event of any session the key may see, with the place to go on from. */
export interface FeedEntry {
  readonly cursor: string;
  readonly event: DurableEvent | ResetEvent;
}

/** One attempt to send a session's webhook. */
export interface DeliveryAttempt extends Attempt {
  /** Counted from 1. */
  readonly attempt: number;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** `text` has an utterance a line. */
export type TranscriptFormat = 'json' | 'text' | 'srt' | 'vtt';
