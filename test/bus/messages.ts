/** What buses are tested with. */

import type { BusMessage } from '../../src/bus/bus.ts';
import type { DurableEvent, HintEvent, SessionEvent } from '../../src/domain/event.ts';

const at = '2025-01-01T00:00:00.000Z';

export const final = (sessionId: string, seq: number, text = 'so it is'): DurableEvent => ({
  type: 'transcript.final',
  sessionId,
  seq,
  at,
  utteranceId: `utt_${seq}`,
  startMs: 0,
  endMs: 900,
  text,
  language: 'en',
  confidence: 0.9,
});

export const partial = (sessionId: string, utteranceId: string, text = 'so it'): HintEvent => ({
  type: 'transcript.partial',
  sessionId,
  at,
  utteranceId,
  startMs: 0,
  endMs: 600,
  text,
  stableChars: 0,
});

export const telling = (event: SessionEvent): BusMessage => ({ kind: 'event', tenantId: 'local', event });

const receipt = {
  receivedMs: 1000,
  transcribedMs: 900,
  silenceMs: 100,
  suppressedMs: 0,
  finals: 1,
  lastSeq: 7,
  endedBy: 'client',
} as const;

const durable = { sessionId: 'ses_1', seq: 1, at };
const hint = { sessionId: 'ses_1', at };

/** One event of every type. */
export const EVENTS: { readonly [T in SessionEvent['type']]: Extract<SessionEvent, { type: T }> } = {
  'session.started': {
    ...durable,
    type: 'session.started',
    audio: { encoding: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 },
    language: 'auto',
    model: 'whisper-base',
  },
  'transcript.final': {
    ...durable,
    type: 'transcript.final',
    utteranceId: 'utt_1',
    startMs: 0,
    endMs: 900,
    text: '그렇습니다',
    language: 'ko',
    confidence: null,
    words: [{ text: '그렇습니다', startMs: 0, endMs: 900, confidence: 0.5 }],
  },
  'transcript.suppressed': {
    ...durable,
    type: 'transcript.suppressed',
    utteranceId: 'utt_1',
    startMs: 0,
    endMs: 900,
    reason: 'repetition',
    text: 'so so so so',
  },
  'llm.token': {
    ...durable,
    type: 'llm.token',
    responseId: 'rsp_1',
    utteranceId: null,
    index: 0,
    delta: ' a',
  },
  'llm.done': {
    ...durable,
    type: 'llm.done',
    responseId: 'rsp_1',
    utteranceId: 'utt_1',
    text: 'a',
    finishReason: 'stop',
    usage: { promptTokens: 3, completionTokens: 1 },
    droppedChars: 10,
  },
  'llm.failed': {
    ...durable,
    type: 'llm.failed',
    responseId: 'rsp_1',
    utteranceId: null,
    code: 'llm_timeout',
    message: 'It did not answer.',
  },
  'session.done': { ...durable, type: 'session.done', receipt },
  'session.failed': {
    ...durable,
    type: 'session.failed',
    error: { code: 'internal', message: 'Something went wrong.' },
    receipt,
  },
  'session.sent': { ...durable, type: 'session.sent', attempts: 2 },
  'speech.started': { ...hint, type: 'speech.started', utteranceId: 'utt_1', startMs: 120 },
  'transcript.partial': {
    ...hint,
    type: 'transcript.partial',
    utteranceId: 'utt_1',
    startMs: 120,
    endMs: 600,
    text: 'so it',
    stableChars: 2,
  },
  'session.progress': { ...hint, type: 'session.progress', processedMs: 30_000, durationMs: null },
};
