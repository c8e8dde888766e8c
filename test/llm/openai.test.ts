import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FailureCode } from '../../src/domain/failure.ts';
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { CUT_MARK } from '../../src/llm/fit-context.ts';
import type { LlmPiece, LlmRequest } from '../../src/llm/model.ts';
import { OpenAiLanguageModel, type OpenAiOptions } from '../../src/llm/openai.ts';
import { FakeOpenAi, type FakeReply } from '../support/fake-openai.ts';

const KEY = 'sk-secret-of-the-gateway';
const BODY = 'what the endpoint wrote';
const request: LlmRequest = { instructions: 'Answer briefly.', transcript: 'Who is there?', maxTokens: 64 };
const never = new AbortController().signal;

interface FailureCase {
  readonly reply: FakeReply;
  readonly asked?: LlmRequest;
  readonly code: FailureCode;
  readonly tries: number;
  readonly said?: string;
}

/** Real time, but for the waits between tries, which are noted and skipped. */
class HastyClock implements Clock {
  readonly waits: number[] = [];
  now = systemClock.now;
  monotonicMs = systemClock.monotonicMs;
  after(delayMs: number, fire: () => void): () => void {
    this.waits.push(delayMs);
    return systemClock.after(0, fire);
  }
}

let fake: FakeOpenAi;
let clock: HastyClock;
beforeAll(async () => {
  fake = await FakeOpenAi.start();
});
afterAll(() => fake.close());
beforeEach(() => {
  clock = new HastyClock();
});

const open = (options: Partial<OpenAiOptions> = {}) =>
  new OpenAiLanguageModel({
    baseUrl: fake.url,
    apiKey: KEY,
    model: 'tiny',
    contextTokens: 1024,
    clock,
    ...options,
  });

/** Everything a model says, and what it threw after. */
async function hear(model: OpenAiLanguageModel, asked = request, signal = never) {
  const pieces: LlmPiece[] = [];
  const error = await (async () => {
    for await (const piece of model.generate(asked, signal)) pieces.push(piece);
  })().catch((thrown) => thrown);
  const text = pieces.map((piece) => (piece.kind === 'delta' ? piece.text : '')).join('');
  const last = pieces.at(-1);
  return { pieces, text, error, done: last?.kind === 'done' ? last : null };
}

describe('a model behind an endpoint', () => {
  it('streams what the endpoint streams', async () => {
    const usage = { promptTokens: 21, completionTokens: 2 };
    fake.script({ kind: 'answer', pieces: ['It is', ' me.'], usage });
    const heard = await hear(open());
    expect(heard.pieces).toEqual([
      { kind: 'delta', text: 'It is' },
      { kind: 'delta', text: ' me.' },
      { kind: 'done', finishReason: 'stop', usage, droppedChars: 0 },
    ]);
    expect(fake.requests).toEqual([
      expect.objectContaining({
        path: '/v1/chat/completions',
        authorization: `Bearer ${KEY}`,
        body: {
          model: 'tiny',
          messages: [
            { role: 'system', content: 'Answer briefly.' },
            { role: 'user', content: 'Who is there?' },
          ],
          max_tokens: 64,
          stream: true,
          stream_options: { include_usage: true },
        },
      }),
    ]);
  });

  it('says when the endpoint stopped at the limit', async () => {
    fake.script({ kind: 'answer', pieces: ['It'], finishReason: 'length' });
    expect((await hear(open())).done).toMatchObject({ finishReason: 'length' });
  });

  it('estimates the usage where the endpoint reports none', async () => {
    fake.script({ kind: 'answer', pieces: ['It is me.'] });
    const { done } = await hear(open());
    expect(done?.usage).toEqual({ promptTokens: 10, completionTokens: 3 });
  });

  it('takes an answer with a finish reason as whole, whatever becomes of the connection', async () => {
    fake.script({ kind: 'cutAfterFinish', pieces: ['It is me.'] });
    expect(await hear(open())).toMatchObject({ text: 'It is me.', done: { finishReason: 'stop' } });
  });

  it('ends an answer that runs past any limit', async () => {
    fake.script({ kind: 'stall', pieces: Array.from({ length: 10 }, () => 'x'.repeat(1000)) });
    const { done, text } = await hear(open());
    expect(done).toMatchObject({ finishReason: 'length' });
    expect(text.length).toBeLessThan(6000);
    await fake.requests[0]!.abandoned;
  });

  const refuse = (status: number, error: { code?: string; message?: string } = {}): FakeReply => ({
    kind: 'refuse',
    status,
    error: { message: BODY, ...error },
  });
  const FAILURES: Record<string, FailureCase> = {
    'a wrong key': { reply: refuse(401, { message: `${BODY}: ${KEY}` }), code: 'llm_unavailable', tries: 1 },
    'an unknown model': { reply: refuse(404), code: 'llm_unavailable', tries: 1 },
    'too many requests': { reply: refuse(429), code: 'llm_overloaded', tries: 3 },
    'an overloaded endpoint': { reply: refuse(503), code: 'llm_overloaded', tries: 3 },
    'a broken endpoint': { reply: refuse(500), code: 'llm_unavailable', tries: 3 },
    'a prompt that stays too long': {
      reply: refuse(400, { code: 'context_length_exceeded' }),
      asked: { ...request, transcript: 'Who is there? '.repeat(20) },
      code: 'llm_unavailable',
      tries: 2,
    },
    'a prompt too long that cannot be shorter': {
      reply: refuse(400, { code: 'context_length_exceeded' }),
      code: 'llm_unavailable',
      tries: 1,
    },
    'a connection dropped at once': { reply: { kind: 'hangUp' }, code: 'llm_unavailable', tries: 3 },
    'an end without a finish reason': {
      reply: { kind: 'truncate', pieces: ['It', ' is'], how: 'end' },
      code: 'llm_truncated',
      tries: 1,
      said: 'It is',
    },
    'a connection cut in mid-answer': {
      reply: { kind: 'truncate', pieces: ['It', ' is'], how: 'cut' },
      code: 'llm_truncated',
      tries: 1,
      said: 'It is',
    },
    'an error after 200': {
      reply: { kind: 'errorEvent', pieces: ['It'], error: { message: BODY } },
      code: 'llm_unavailable',
      tries: 1,
      said: 'It',
    },
    'an overload after 200': {
      reply: { kind: 'errorEvent', pieces: [], error: { message: BODY, code: 'rate_limit_exceeded' } },
      code: 'llm_overloaded',
      tries: 1,
    },
    'a chunk that is not JSON': {
      reply: { kind: 'garbage', data: `<html>${BODY}` },
      code: 'llm_unavailable',
      tries: 1,
    },
    'JSON that is no chunk': {
      reply: { kind: 'garbage', data: JSON.stringify({ choices: BODY }) },
      code: 'llm_unavailable',
      tries: 1,
    },
    'an answer withheld': {
      reply: { kind: 'answer', pieces: ['It'], finishReason: 'content_filter' },
      code: 'llm_unavailable',
      tries: 1,
      said: 'It',
    },
  };
  it.each(Object.entries(FAILURES))('fails on %s', async (_, { reply, asked, code, tries, said = '' }) => {
    fake.script(reply);
    const { error, text, done } = await hear(open(), asked);
    expect(error).toMatchObject({ name: 'Failure', code });
    expect([text, done]).toEqual([said, null]);
    expect(fake.requests).toHaveLength(tries);
    // Neither the client nor the log is to see these.
    const all = [error.message, error.cause?.message, error.cause?.stack].join();
    expect(all).not.toContain(KEY);
    expect(all).not.toContain(BODY);
  });

  it('fails where nothing listens', async () => {
    const gone = await FakeOpenAi.start();
    const baseUrl = gone.url;
    await gone.close();
    const { error } = await hear(open({ baseUrl }));
    expect(error).toMatchObject({ code: 'llm_unavailable' });
    expect(error.cause.message).toContain('ECONNREFUSED');
  });

  it('tries again, waiting longer each time or as long as it is asked to', async () => {
    fake.script(refuse(503), refuse(500), { kind: 'answer', pieces: ['Back.'] });
    expect((await hear(open())).text).toBe('Back.');
    expect(clock.waits).toEqual([500, 1000]);

    clock.waits.length = 0;
    fake.script({ ...refuse(429), headers: { 'retry-after': '2' } } as FakeReply, {
      kind: 'answer',
      pieces: ['Back.'],
    });
    expect((await hear(open())).text).toBe('Back.');
    expect(clock.waits).toEqual([2000]);
  });

  it('does not wait for an endpoint that wants long', async () => {
    fake.script({ ...refuse(429), headers: { 'retry-after': '3600' } } as FakeReply);
    expect((await hear(open())).error).toMatchObject({ code: 'llm_overloaded', retryAfterMs: 3_600_000 });
    expect(fake.requests).toHaveLength(1);
  });

  it('cuts a transcript that its context cannot hold', async () => {
    fake.script({ kind: 'answer', pieces: ['Long.'] });
    const transcript = 'The committee met again on Tuesday. '.repeat(200);
    const { done } = await hear(open(), { ...request, transcript });
    const sent = fake.requests[0]!.body.messages[1]!.content;
    expect(sent.startsWith(`${CUT_MARK}The committee`)).toBe(true);
    expect(done?.droppedChars).toBe(transcript.length - (sent.length - CUT_MARK.length));
  });

  it('cuts further, once, where the endpoint says that it is too long', async () => {
    fake.script(refuse(400, { message: "This model's maximum context length is 128 tokens." }), {
      kind: 'answer',
      pieces: ['Long.'],
    });
    const transcript = 'The committee met again on Tuesday. '.repeat(50);
    const { done, text } = await hear(open(), { ...request, transcript });
    const [first, second] = fake.requests.map(({ body }) => body.messages[1]!.content);
    expect(text).toBe('Long.');
    expect(first).toBe(transcript);
    expect(second!.length).toBeLessThanOrEqual(first!.length / 2 + CUT_MARK.length);
    expect(done?.droppedChars).toBe(transcript.length - (second!.length - CUT_MARK.length));
  });

  it('refuses instructions that leave no room', async () => {
    const { error } = await hear(open(), { ...request, instructions: 'long '.repeat(1000) });
    expect(error).toMatchObject({ code: 'bad_request' });
  });

  it('learns the newer name of the limit from an endpoint that wants it', async () => {
    fake.script(
      refuse(400, { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." }),
      { kind: 'answer', pieces: ['Yes.'] },
    );
    const model = open();
    expect((await hear(model)).text).toBe('Yes.');
    expect((await hear(model)).text).toBe('Yes.');
    expect(fake.requests.map(({ body }) => [body.max_tokens, body.max_completion_tokens])).toEqual([
      [64, undefined],
      [undefined, 64],
      [undefined, 64],
    ]);
  });

  const STALLS: [string, FakeReply][] = [
    ['before the headers', { kind: 'silence' }],
    ['before the first token', { kind: 'stall', pieces: [] }],
    ['in mid-answer', { kind: 'stall', pieces: ['It'] }],
  ];
  it.each(STALLS)('lets go of the endpoint when aborted %s', async (_, reply) => {
    fake.script(reply);
    const abort = new AbortController();
    const hearing = hear(open(), request, abort.signal);
    while (fake.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort(new Error('enough'));
    expect((await hearing).error.message).toBe('enough');
    await fake.requests[0]!.abandoned;
  });

  it('lets go of the endpoint when its reader leaves', async () => {
    fake.script({ kind: 'stall', pieces: ['It'] });
    for await (const piece of open().generate(request, never)) {
      expect(piece).toEqual({ kind: 'delta', text: 'It' });
      break;
    }
    await fake.requests[0]!.abandoned;
  });

  it('stops waiting between tries when aborted', async () => {
    fake.script(refuse(503));
    const abort = new AbortController();
    const waiting = new (class extends HastyClock {
      override after(): () => void {
        setImmediate(() => abort.abort(new Error('enough')));
        return () => {};
      }
    })();
    expect((await hear(open({ clock: waiting }), request, abort.signal)).error.message).toBe('enough');
  });

  it('takes so many requests at a time and in line, and no more', async () => {
    fake.script({ kind: 'stall', pieces: ['It'] });
    const model = open({ maxConcurrent: 1 });
    const hearings = Array.from({ length: 6 }, () => hear(model));
    expect((await hearings[5]!).error).toMatchObject({ code: 'llm_overloaded' });
    expect(fake.requests.length).toBeLessThanOrEqual(1);
    await model.close();
    for (const { error } of await Promise.all(hearings.slice(0, 5))) expect(error.code).toBe('shutting_down');
  });
});
