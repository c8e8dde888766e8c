import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DurableEvent } from '../../src/domain/event.ts';
import { DEFAULT_OPTIONS, SUMMARISE } from '../../src/domain/options.ts';
import { EMPTY_TALLY, receiptOf, tally } from '../../src/domain/receipt.ts';
import {
  hasEnded,
  joinText,
  nextState,
  type SessionRecord,
  type SessionState,
  sessionView,
} from '../../src/domain/session.ts';

type Kind =
  | 'session.started'
  | 'transcript.final'
  | 'llm.token'
  | 'session.done'
  | 'session.failed'
  | 'session.sent';

const TABLE: Record<SessionState, Record<Kind, SessionState | null>> = {
  PENDING: {
    'session.started': 'IN_PROGRESS',
    'transcript.final': 'PENDING',
    'llm.token': 'PENDING',
    'session.done': 'DONE',
    'session.failed': 'FAILED',
    'session.sent': null,
  },
  IN_PROGRESS: {
    'session.started': null,
    'transcript.final': 'IN_PROGRESS',
    'llm.token': 'IN_PROGRESS',
    'session.done': 'DONE',
    'session.failed': 'FAILED',
    'session.sent': null,
  },
  DONE: {
    'session.started': null,
    'transcript.final': null,
    'llm.token': null,
    'session.done': null,
    'session.failed': null,
    'session.sent': 'SENT',
  },
  FAILED: {
    'session.started': null,
    'transcript.final': null,
    'llm.token': null,
    'session.done': null,
    'session.failed': null,
    'session.sent': 'SENT',
  },
  SENT: {
    'session.started': null,
    'transcript.final': null,
    'llm.token': null,
    'session.done': null,
    'session.failed': null,
    'session.sent': null,
  },
};

const record: SessionRecord = {
  id: 'ses_1',
  tenantId: 'local',
  source: 'live',
  state: 'IN_PROGRESS',
  options: { ...DEFAULT_OPTIONS, llm: SUMMARISE },
  model: 'whisper-base',
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: '2026-01-01T00:00:01.000Z',
  finishedAt: null,
  durationMs: null,
  processedMs: 0,
  lastSeq: 0,
  audioUrl: null,
};

const stamp = { sessionId: 'ses_1', at: '2026-01-01T00:00:02.000Z' };
const final = (
  seq: number,
  text: string,
  language: string,
  startMs: number,
  endMs: number,
): DurableEvent => ({
  type: 'transcript.final',
  seq,
  ...stamp,
  utteranceId: `utt_${seq}`,
  startMs,
  endMs,
  text,
  language,
  confidence: 0.9,
});

describe('a session’s state', () => {
  for (const [state, row] of Object.entries(TABLE))
    for (const [type, expected] of Object.entries(row))
      it(`${state} on ${type} becomes ${expected ?? 'nothing: it is refused'}`, () => {
        expect(nextState(state as SessionState, { type })).toBe(expected);
      });

  it('never leaves an end but to SENT', () => {
    const kinds = fc.constantFrom(...(Object.keys(TABLE.DONE) as Kind[]));
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 30 }), (events) => {
        let state: SessionState = 'PENDING';
        for (const type of events) {
          const next = nextState(state, { type });
          if (hasEnded(state)) expect([null, 'SENT']).toContain(next);
          state = next ?? state;
        }
      }),
    );
  });
});

describe('a session as clients read it', () => {
  it('joins utterances with spaces where the language writes them', () => {
    expect(
      joinText([
        { text: 'One.', language: 'en' },
        { text: '둘.', language: 'ko' },
      ]),
    ).toBe('One. 둘.');
    expect(
      joinText([
        { text: '一つ。', language: 'ja' },
        { text: '二つ。', language: 'ja' },
      ]),
    ).toBe('一つ。二つ。');
  });

  it('takes the language that was spoken longest', () => {
    const view = sessionView(record, [
      final(1, 'Hi.', 'en', 0, 500),
      final(2, '안녕하세요.', 'ko', 600, 2600),
    ]);
    expect(view.language).toBe('ko');
    expect(view.text).toBe('Hi. 안녕하세요.');
  });

  it('grows an answer from its tokens and closes it with its end', () => {
    const token = (seq: number, index: number, delta: string): DurableEvent => ({
      type: 'llm.token',
      seq,
      ...stamp,
      responseId: 'rsp_1',
      utteranceId: null,
      index,
      delta,
    });
    const sofar = [token(1, 0, 'Two '), token(2, 1, 'words')];
    expect(sessionView(record, sofar).llm).toEqual({
      state: 'streaming',
      responses: [{ id: 'rsp_1', utteranceId: null, text: 'Two words', finishReason: null }],
    });
    const done: DurableEvent = {
      type: 'llm.done',
      seq: 3,
      ...stamp,
      responseId: 'rsp_1',
      utteranceId: null,
      text: 'Two words',
      finishReason: 'stop',
      usage: { promptTokens: 9, completionTokens: 2 },
    };
    const view = sessionView({ ...record, state: 'DONE' }, [...sofar, done]);
    expect(view.llm).toEqual({
      state: 'done',
      responses: [{ id: 'rsp_1', utteranceId: null, text: 'Two words', finishReason: 'stop' }],
    });
  });
});

describe('a receipt', () => {
  it('accounts for every millisecond, whatever was said', () => {
    const span = fc.tuple(
      fc.constantFrom('transcript.final', 'transcript.suppressed'),
      fc.nat(5000),
      fc.nat(5000),
    );
    fc.assert(
      fc.property(fc.array(span, { maxLength: 20 }), fc.nat(10_000), (spans, restMs) => {
        let at = 0;
        let total = EMPTY_TALLY;
        for (const [type, gapMs, lengthMs] of spans) {
          total = tally(total, { type, startMs: at + gapMs, endMs: at + gapMs + lengthMs });
          at += gapMs + lengthMs;
        }
        const receipt = receiptOf(total, at + restMs, 7, 'client');
        expect(receipt.transcribedMs + receipt.silenceMs + receipt.suppressedMs).toBe(receipt.receivedMs);
        expect(receipt.finals).toBe(spans.filter(([type]) => type === 'transcript.final').length);
      }),
    );
  });

  it('refuses to count more than was received', () => {
    expect(() => receiptOf({ transcribedMs: 10, suppressedMs: 0, finals: 1 }, 9, 1, 'client')).toThrow(
      RangeError,
    );
  });
});
