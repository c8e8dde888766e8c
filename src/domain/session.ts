/**
 * A session: one stretch of audio and all that came of it. Its life is a pure state machine; its contents are
 * a fold over its durable events, so what is polled, replayed and delivered cannot disagree.
 */
import type { Delivery } from './delivery.ts';
import type { DurableEvent, FinishReason, Word } from './event.ts';
import type { FailureReport } from './failure.ts';
import type { SessionOptions, Task } from './options.ts';
import type { Receipt } from './receipt.ts';

/**
 * `PENDING`: created, no audio worked on yet. `SENT`: the webhook answered 2xx.
 *
 *     PENDING ──► IN_PROGRESS ──► DONE ───► SENT
 *        │             └────────► FAILED ─► SENT
 *        └──────────────────────► DONE, FAILED        (ended before any audio)
 */
export type SessionState = 'PENDING' | 'IN_PROGRESS' | 'DONE' | 'FAILED' | 'SENT';

export const SESSION_STATES: readonly SessionState[] = ['PENDING', 'IN_PROGRESS', 'DONE', 'FAILED', 'SENT'];

export type SessionSource = 'live' | 'recording';

/** The events that move a session on; all others leave its state alone. */
export type StateEvent = 'session.started' | 'session.done' | 'session.failed' | 'session.sent';

const TRANSITIONS: Record<SessionState, Partial<Record<StateEvent, SessionState>>> = {
  PENDING: { 'session.started': 'IN_PROGRESS', 'session.done': 'DONE', 'session.failed': 'FAILED' },
  IN_PROGRESS: { 'session.done': 'DONE', 'session.failed': 'FAILED' },
  DONE: { 'session.sent': 'SENT' },
  FAILED: { 'session.sent': 'SENT' },
  SENT: {},
};

/** The state after `event`, or null where the event is not allowed in `state`. Other events change nothing. */
export function nextState(state: SessionState, event: { type: string }): SessionState | null {
  switch (event.type) {
    case 'session.started':
    case 'session.done':
    case 'session.failed':
    case 'session.sent':
      return TRANSITIONS[state][event.type] ?? null;
    default:
      return state === 'PENDING' || state === 'IN_PROGRESS' ? state : null;
  }
}

/** Whether the session takes no more audio and no more events but `session.sent`. */
export const hasEnded = (state: SessionState): boolean => state !== 'PENDING' && state !== 'IN_PROGRESS';

/** What the store keeps of a session besides its events. Instants are ISO 8601 UTC. */
export interface SessionRecord {
  readonly id: string;
  readonly tenantId: string;
  readonly source: SessionSource;
  readonly state: SessionState;
  readonly options: SessionOptions;
  /** The model that serves it, by name. */
  readonly model: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Audio received so far, or a recording's length where known. */
  readonly durationMs: number | null;
  /** Audio worked through so far. */
  readonly processedMs: number;
  readonly lastSeq: number;
  /** Where a recording is to be fetched from; null for one that was uploaded, and for live sessions. */
  readonly audioUrl: string | null;
}

/** A finished utterance as clients read it. */
export interface Utterance {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly language: string;
  /** 0–1; null where the recogniser does not say. */
  readonly confidence: number | null;
  readonly words?: readonly Word[];
}

/** An answer of the language model, whole or as far as it got. */
export interface LlmResponse {
  readonly id: string;
  readonly utteranceId: string | null;
  readonly text: string;
  readonly finishReason: FinishReason | 'failed' | null;
}

/** The session as clients read it: GET, list, webhook. */
export interface Session {
  readonly id: string;
  readonly state: SessionState;
  readonly source: SessionSource;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly language: string;
  readonly model: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly audio: { readonly durationMs: number | null };
  readonly text: string;
  readonly utterances: readonly Utterance[];
  readonly llm: null | {
    readonly state: 'pending' | 'streaming' | 'done' | 'failed';
    readonly responses: readonly LlmResponse[];
  };
  readonly progress: null | { readonly processedMs: number; readonly durationMs: number | null };
  readonly webhook: null | Delivery;
  readonly receipt: null | Receipt;
  readonly error: null | FailureReport;
}

const NOTHING_SENT: Delivery = { state: 'pending', attempts: 0, lastStatus: null, nextAttemptAt: null };

/** Languages written without spaces between words: their utterances are joined without one too. */
const UNSPACED = new Set(['ja', 'zh', 'yue', 'th', 'lo', 'my', 'km']);

/**
 * Joins utterances into running text, with a space only where the language writes one.
 * @param task What the texts are: translations are English whatever language was spoken.
 */
export function joinText(
  utterances: readonly { text: string; language: string }[],
  task: Task = 'transcribe',
): string {
  let text = '';
  for (const utterance of utterances) {
    const isEnglish = task === 'translate';
    const spaced = text !== '' && (isEnglish || !UNSPACED.has(utterance.language.split('-')[0]!));
    text += (spaced ? ' ' : '') + utterance.text;
  }
  return text;
}

/** The language most of the speech was in, by time; null where nothing was said. */
function dominantLanguage(utterances: readonly Utterance[]): string | null {
  const spokenMs = new Map<string, number>();
  for (const { language, startMs, endMs } of utterances)
    spokenMs.set(language, (spokenMs.get(language) ?? 0) + endMs - startMs);
  let best: string | null = null;
  for (const [language, ms] of spokenMs) if (best === null || ms > spokenMs.get(best)!) best = language;
  return best;
}

/** Folds a record and its durable events, in seq order, into what clients read. */
export function sessionView(
  record: SessionRecord,
  events: readonly DurableEvent[],
  delivery: Delivery | null = null,
): Session {
  const utterances: Utterance[] = [];
  const responses = new Map<string, LlmResponse>();
  let receipt: Receipt | null = null;
  let error: FailureReport | null = null;

  for (const event of events) {
    switch (event.type) {
      case 'transcript.final': {
        const { utteranceId: id, startMs, endMs, text, language, confidence, words } = event;
        utterances.push({ id, startMs, endMs, text, language, confidence, ...(words && { words }) });
        break;
      }
      case 'llm.token': {
        const sofar = responses.get(event.responseId)?.text ?? '';
        const { responseId: id, utteranceId } = event;
        responses.set(id, { id, utteranceId, text: sofar + event.delta, finishReason: null });
        break;
      }
      case 'llm.done': {
        const { responseId: id, utteranceId, text, finishReason } = event;
        responses.set(id, { id, utteranceId, text, finishReason });
        break;
      }
      case 'llm.failed': {
        const { responseId: id, utteranceId } = event;
        responses.set(id, { id, utteranceId, text: responses.get(id)?.text ?? '', finishReason: 'failed' });
        break;
      }
      case 'session.done':
        receipt = event.receipt;
        break;
      case 'session.failed':
        ({ receipt, error } = event);
        break;
      case 'session.started':
      case 'session.sent':
      case 'transcript.suppressed':
        break;
    }
  }

  const { id, state, source, createdAt, startedAt, finishedAt, model, options, processedMs } = record;
  const durationMs = receipt?.receivedMs ?? record.durationMs;
  return {
    id,
    state,
    source,
    createdAt,
    startedAt,
    finishedAt,
    language: options.language === 'auto' ? (dominantLanguage(utterances) ?? 'auto') : options.language,
    model,
    metadata: options.metadata,
    audio: { durationMs },
    text: joinText(utterances, options.task),
    utterances,
    llm: options.llm && llmView([...responses.values()], hasEnded(state)),
    progress: source === 'recording' && !hasEnded(state) ? { processedMs, durationMs } : null,
    webhook: options.webhook && (delivery ?? NOTHING_SENT),
    receipt,
    error,
  };
}

function llmView(responses: readonly LlmResponse[], ended: boolean): NonNullable<Session['llm']> {
  const last = responses.at(-1);
  if (ended) return { state: last?.finishReason === 'failed' ? 'failed' : 'done', responses };
  return { state: last && last.finishReason === null ? 'streaming' : 'pending', responses };
}
