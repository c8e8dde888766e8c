/** What every suite of the store starts from. */
import type { DurableDraft, DurableEvent } from '../../../src/domain/event.ts';
import { DEFAULT_OPTIONS } from '../../../src/domain/options.ts';
import type { SessionRecord } from '../../../src/domain/session.ts';
import type { NewSession, Store } from '../../../src/store/store.ts';
import type { FakeClock } from '../../support/fake-clock.ts';

export interface Fixture {
  readonly store: Store;
  readonly clock: FakeClock;
}

let made = 0;

/** A name nobody has used in this run: suites share a database, and keep apart by tenant. */
export const unused = (kind: string): string => `${kind}_${String(++made).padStart(6, '0')}`;

export function newSession(overrides: Partial<NewSession> = {}): NewSession {
  return {
    id: unused('ses'),
    tenantId: unused('tenant'),
    source: 'live',
    options: DEFAULT_OPTIONS,
    model: 'whisper-base',
    durationMs: null,
    ...overrides,
  };
}

export const create = (store: Store, overrides: Partial<NewSession> = {}): Promise<SessionRecord> =>
  store.sessions.create(newSession(overrides));

export const started: DurableDraft = {
  type: 'session.started',
  audio: DEFAULT_OPTIONS.audio,
  language: 'auto',
  model: 'whisper-base',
};

export const final = (startMs: number, text = 'hello'): DurableDraft => ({
  type: 'transcript.final',
  utteranceId: `utt_${startMs}`,
  startMs,
  endMs: startMs + 1000,
  text,
  language: 'en',
  confidence: 0.9,
});

export const token = (responseId: string, index: number, delta: string): DurableDraft => ({
  type: 'llm.token',
  responseId,
  utteranceId: null,
  index,
  delta,
});

export const answered = (responseId: string, text: string): DurableDraft => ({
  type: 'llm.done',
  responseId,
  utteranceId: null,
  text,
  finishReason: 'stop',
  usage: { promptTokens: 3, completionTokens: 2 },
});

export const unanswered = (responseId: string): DurableDraft => ({
  type: 'llm.failed',
  responseId,
  utteranceId: null,
  code: 'llm_timeout',
  message: 'too late',
});

const receipt = (receivedMs: number) =>
  ({
    receivedMs,
    transcribedMs: 0,
    silenceMs: receivedMs,
    suppressedMs: 0,
    finals: 0,
    // The log knows better.
    lastSeq: -1,
    endedBy: 'client',
  }) as const;

export const done = (receivedMs = 5000): DurableDraft => ({
  type: 'session.done',
  receipt: receipt(receivedMs),
});

export const failed = (message = 'lost'): DurableDraft => ({
  type: 'session.failed',
  error: { code: 'internal', message },
  receipt: receipt(5000),
});

export const sent: DurableDraft = { type: 'session.sent', attempts: 1 };

/** An event without what the log adds or fills in. */
export function plain({ sessionId: _, seq: __, at: ___, ...draft }: DurableEvent): object {
  return 'receipt' in draft ? { ...draft, receipt: { ...draft.receipt, lastSeq: -1 } } : draft;
}
