/**
 * One shape of event on every channel: WebSocket, SSE, feed and store. Durable events are facts: they carry a
 * `seq` (1, 2, 3 … without holes in a session) and are stored before anyone is told. The others are hints,
 * true when sent and soon outdated, and may be dropped or coalesced.
 */
import type { FailureReport } from './failure.ts';
import type { AudioFormat } from './options.ts';
import type { Receipt } from './receipt.ts';

/** A word on the session's clock. */
export interface Word {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0–1; null where the recogniser does not say. */
  readonly confidence: number | null;
}

/** Why a guard withheld a text. */
export type SuppressionReason =
  | 'no_speech'
  | 'too_many_tokens'
  | 'repetition'
  | 'compression_ratio'
  | 'low_confidence'
  | 'language_flip';

/** Why a language model stopped: `stop` by itself, `length` at `maxTokens`. */
export type FinishReason = 'stop' | 'length';

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** The fields of each durable event, by type. */
export interface DurableFields {
  'session.started': { audio: AudioFormat; language: string; model: string };
  'transcript.final': {
    utteranceId: string;
    startMs: number;
    endMs: number;
    text: string;
    /** BCP 47, as detected or as asked for; `und` where neither is known. */
    language: string;
    /** 0–1: the mean probability of the text's tokens; null where the recogniser does not say. */
    confidence: number | null;
    words?: readonly Word[];
  };
  'transcript.suppressed': {
    utteranceId: string;
    startMs: number;
    endMs: number;
    reason: SuppressionReason;
    text: string;
  };
  'llm.token': { responseId: string; utteranceId: string | null; index: number; delta: string };
  'llm.done': {
    responseId: string;
    utteranceId: string | null;
    text: string;
    finishReason: FinishReason;
    usage: Usage;
    /** How many characters of the transcript's beginning did not fit the model's context; absent where none. */
    droppedChars?: number;
  };
  'llm.failed': { responseId: string; utteranceId: string | null; code: string; message: string };
  'session.done': { receipt: Receipt };
  'session.failed': { error: FailureReport; receipt: Receipt };
  'session.sent': { attempts: number };
}

/** The fields of each hint, by type. */
export interface HintFields {
  'speech.started': { utteranceId: string; startMs: number };
  'transcript.partial': {
    utteranceId: string;
    startMs: number;
    endMs: number;
    text: string;
    /** The first so many characters (UTF-16 units) of `text` will not change. */
    stableChars: number;
  };
  'session.progress': { processedMs: number; durationMs: number | null };
}

export type DurableType = keyof DurableFields;
export type HintType = keyof HintFields;

/** A durable event as it leaves the log. `at` is an ISO 8601 instant in UTC. */
export type DurableEvent = {
  [T in DurableType]: { type: T; sessionId: string; seq: number; at: string } & DurableFields[T];
}[DurableType];

/** A hint as it is sent. */
export type HintEvent = {
  [T in HintType]: { type: T; sessionId: string; at: string } & HintFields[T];
}[HintType];

export type SessionEvent = DurableEvent | HintEvent;

/** A durable event before the log gives it its session, seq and instant. */
export type DurableDraft = { [T in DurableType]: { type: T } & DurableFields[T] }[DurableType];

/** A hint before it is stamped. */
export type HintDraft = { [T in HintType]: { type: T } & HintFields[T] }[HintType];

export type EventDraft = DurableDraft | HintDraft;

const HINT_TYPES: ReadonlySet<string> = new Set<HintType>([
  'speech.started',
  'transcript.partial',
  'session.progress',
]);

/** Tells facts from hints. */
export function isDurable<E extends EventDraft | SessionEvent>(
  event: E,
): event is Extract<E, { type: DurableType }> {
  return !HINT_TYPES.has(event.type);
}

/** Whether a reader of a session's events has nothing more to wait for after this one. */
export function isTerminal(event: { type: string }): boolean {
  return event.type === 'session.done' || event.type === 'session.failed';
}
