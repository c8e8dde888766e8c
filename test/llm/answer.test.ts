import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DurableDraft } from '../../src/domain/event.ts';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import { sleep } from '../../src/flow/clock.ts';
import { type AnswerContext, answer } from '../../src/llm/answer.ts';
import type { LanguageModel, LlmPiece, LlmRequest } from '../../src/llm/model.ts';
import { FakeClock } from '../support/fake-clock.ts';

const request: LlmRequest = { instructions: 'Answer.', transcript: 'Who is there?', maxTokens: 64 };
const LIMITS = { firstTokenMs: 1000, stallMs: 500, totalMs: 3000, groupMs: 60 };
const DONE: LlmPiece = {
  kind: 'done',
  finishReason: 'stop',
  usage: { promptTokens: 7, completionTokens: 3 },
  droppedChars: 0,
};
const delta = (text: string): LlmPiece => ({ kind: 'delta', text });

/** What a model does next: wait, say something, do something, hang without heeding its abort, or throw. */
type Step = { readonly waitMs: number } | LlmPiece | (() => void) | 'hang' | Error;

class ScriptedModel implements LanguageModel {
  readonly name = 'scripted';
  stopped = false;
  readonly #clock: FakeClock;
  readonly #steps: readonly Step[];

  constructor(clock: FakeClock, steps: readonly Step[]) {
    this.#clock = clock;
    this.#steps = steps;
  }

  async *generate(_request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmPiece> {
    signal.addEventListener('abort', () => {
      this.stopped = true;
    });
    for (const step of this.#steps) {
      if (step === 'hang') await new Promise(() => {});
      else if (step instanceof Error) throw step;
      else if (typeof step === 'function') step();
      else if ('waitMs' in step) await sleep(this.#clock, step.waitMs, signal);
      else yield step;
    }
  }

  async close(): Promise<void> {}
}

interface Told {
  readonly drafts: { atMs: number; draft: DurableDraft }[];
  readonly model: ScriptedModel;
  readonly clock: FakeClock;
}

/** Runs an answer to its end, however long that takes on the fake clock. */
async function tell(steps: readonly Step[], options: Partial<AnswerContext> = {}, signal?: AbortSignal) {
  const clock = new FakeClock();
  const model = new ScriptedModel(clock, steps);
  const told: Told = { drafts: [], model, clock };
  const context = { responseId: 'rsp_1', utteranceId: 'utt_1', clock, ...LIMITS, ...options };
  let ended = false;
  const reading = (async () => {
    for await (const draft of answer(model, request, context, signal ?? new AbortController().signal))
      told.drafts.push({ atMs: clock.monotonicMs(), draft });
  })().finally(() => {
    ended = true;
  });
  while (!ended) await clock.advance(500);
  await reading;
  return told;
}

const last = ({ drafts }: Told) => drafts.at(-1)!.draft;
const tokens = ({ drafts }: Told) =>
  drafts.flatMap(({ draft }) => (draft.type === 'llm.token' ? [draft] : []));

describe('an answer', () => {
  it('tells the first piece at once and the others in groups', async () => {
    const steps = [
      delta('a'),
      { waitMs: 10 },
      delta('b'),
      { waitMs: 10 },
      delta('c'),
      { waitMs: 100 },
      delta('d'),
      DONE,
    ];
    const told = await tell(steps);
    expect(tokens(told).map(({ index, delta }) => [index, delta])).toEqual([
      [0, 'a'],
      [1, 'bc'],
      [2, 'd'],
    ]);
    expect(told.drafts.map(({ atMs }) => atMs)).toEqual([0, 60, 120, 120]);
    expect(last(told)).toEqual({
      type: 'llm.done',
      responseId: 'rsp_1',
      utteranceId: 'utt_1',
      text: 'abcd',
      finishReason: 'stop',
      usage: { promptTokens: 7, completionTokens: 3 },
    });
  });

  it('says how much of the transcript was dropped, where any was', async () => {
    const told = await tell([delta('a'), { ...DONE, droppedChars: 12 }]);
    expect(last(told)).toMatchObject({ type: 'llm.done', droppedChars: 12 });
  });

  it('may be empty', async () => {
    const told = await tell([DONE]);
    expect(told.drafts.map(({ draft }) => draft)).toEqual([
      expect.objectContaining({ type: 'llm.done', text: '' }),
    ]);
  });

  it('joins to the text of its end, with gapless indices and groups apart, whatever the pace', async () => {
    const pace = fc.record({ text: fc.string({ unit: 'binary', minLength: 1 }), waitMs: fc.nat(200) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(pace, { maxLength: 20 }),
        fc.integer({ min: 1, max: 150 }),
        async (pieces, groupMs) => {
          const steps = pieces.flatMap(({ text, waitMs }) => [{ waitMs }, delta(text)]);
          const told = await tell([...steps, DONE], { groupMs, totalMs: 100_000 });
          const done = last(told);
          const deltas = tokens(told);
          expect(done.type === 'llm.done' && done.text).toBe(deltas.map(({ delta }) => delta).join(''));
          expect(deltas.map(({ index }) => index)).toEqual(deltas.map((_, at) => at));
          const times = told.drafts.filter(({ draft }) => draft.type === 'llm.token').map(({ atMs }) => atMs);
          // The end may follow at once and flushes the last group.
          for (let at = 1; at < times.length - 1; at++)
            expect(times[at]! - times[at - 1]!).toBeGreaterThanOrEqual(groupMs);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('holds no text that a database cannot', async () => {
    const told = await tell([delta('a\0b\ud83d'), { waitMs: 70 }, delta('\ude00c\ud83d'), DONE]);
    expect(tokens(told).map(({ delta }) => delta)).toEqual(['ab', '\u{1F600}c', '\ufffd']);
    expect(last(told)).toMatchObject({ text: 'ab\u{1F600}c\ufffd' });
  });

  const FAILURES: Record<string, { steps: Step[]; code: FailureCode; atMs: number; said: string }> = {
    'no first token': { steps: [{ waitMs: 5000 }], code: 'llm_timeout', atMs: 1000, said: '' },
    'no first token from a model that ignores its abort': {
      steps: ['hang'],
      code: 'llm_timeout',
      atMs: 1000,
      said: '',
    },
    'a stall between tokens': {
      steps: [{ waitMs: 100 }, delta('a'), { waitMs: 5000 }],
      code: 'llm_timeout',
      atMs: 600,
      said: 'a',
    },
    'a stall before the end mark': {
      steps: [delta('a'), { waitMs: 400 }, delta('b'), 'hang'],
      code: 'llm_timeout',
      atMs: 900,
      said: 'ab',
    },
    'tokens without end': {
      steps: Array.from({ length: 50 }, () => [{ waitMs: 400 }, delta('a')]).flat(),
      code: 'llm_timeout',
      atMs: 3000,
      said: 'aaaaaaa',
    },
    'an end without an end mark': { steps: [delta('a')], code: 'llm_truncated', atMs: 0, said: 'a' },
    'a failure of the model': {
      steps: [new Failure('llm_overloaded', 'Too many.')],
      code: 'llm_overloaded',
      atMs: 0,
      said: '',
    },
    'a failure in mid-answer': {
      steps: [delta('a'), { waitMs: 20 }, delta('b'), new Failure('llm_unavailable', 'Gone.')],
      code: 'llm_unavailable',
      atMs: 20,
      said: 'ab',
    },
    'an error nobody foresaw': { steps: [new TypeError('secret')], code: 'internal', atMs: 0, said: '' },
  };
  it.each(Object.entries(FAILURES))('fails on %s', async (_, { steps, code, atMs, said }) => {
    const told = await tell(steps);
    expect(last(told)).toMatchObject({ type: 'llm.failed', code, responseId: 'rsp_1', utteranceId: 'utt_1' });
    expect(told.drafts.at(-1)!.atMs).toBe(atMs);
    expect(told.drafts.filter(({ draft }) => draft.type !== 'llm.token')).toHaveLength(1);
    expect(
      tokens(told)
        .map(({ delta }) => delta)
        .join(''),
    ).toBe(said);
    expect(JSON.stringify(last(told))).not.toContain('secret');
    expect(told.clock.waiting).toBe(0);
  });

  it('stops a model that it no longer waits for', async () => {
    const told = await tell([delta('a'), { waitMs: 5000 }]);
    expect(told.model.stopped).toBe(true);
  });

  const REASONS: [string, unknown, FailureCode][] = [
    [
      'the failure it is aborted with',
      new Failure('session_ended', 'The session was deleted.'),
      'session_ended',
    ],
    ['shutting_down when aborted without one', undefined, 'shutting_down'],
  ];
  it.each(REASONS)('fails with %s', async (_, reason, code) => {
    const before = new AbortController();
    before.abort(reason);
    expect((await tell([delta('a'), DONE], {}, before.signal)).drafts.map(({ draft }) => draft)).toEqual([
      expect.objectContaining({ type: 'llm.failed', code }),
    ]);

    const during = new AbortController();
    const told = await tell([delta('a'), () => during.abort(reason), 'hang'], {}, during.signal);
    expect(told.drafts.map(({ draft }) => draft)).toEqual([
      expect.objectContaining({ type: 'llm.token', delta: 'a' }),
      expect.objectContaining({ type: 'llm.failed', code }),
    ]);
  });

  it('stops the model and leaves no timer when its reader leaves', async () => {
    const clock = new FakeClock();
    const model = new ScriptedModel(clock, [delta('a'), 'hang']);
    const context = { responseId: 'rsp_1', utteranceId: null, clock, ...LIMITS };
    for await (const draft of answer(model, request, context, new AbortController().signal)) {
      expect(draft).toMatchObject({ type: 'llm.token', utteranceId: null });
      break;
    }
    expect(model.stopped).toBe(true);
    expect(clock.waiting).toBe(0);
  });
});
