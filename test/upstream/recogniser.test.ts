/** A recogniser elsewhere: against a server that speaks the protocol, well and badly. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Failure, FailureCode } from '../../src/domain/failure.ts';
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { openUpstreamRecogniser, type UpstreamOptions } from '../../src/upstream/recogniser.ts';
import type { Recogniser, RecognitionRequest } from '../../src/whisper/recognition.ts';
import { FakeTranscriber, type TranscriberReply } from '../support/fake-transcriber.ts';

const KEY = 'sk-secret-of-the-gateway';
const BODY = 'what the endpoint wrote';
const SECONDS = 2;
const audio = new Float32Array(SECONDS * 16_000).fill(0.25);
const request: RecognitionRequest = {
  audio,
  language: null,
  likelyLanguage: null,
  prompt: null,
  prefix: null,
  draft: [],
  utterance: null,
  words: false,
  urgency: 'final',
};

/** Real time, but for the waits between tries, which are noted and skipped; time limits are left as they are. */
class HastyClock implements Clock {
  readonly waits: number[] = [];
  now = systemClock.now;
  monotonicMs = systemClock.monotonicMs;
  after(delayMs: number, fire: () => void): () => void {
    if (delayMs === PARTIAL_LIMIT_MS || delayMs >= LIMIT_MS) return systemClock.after(delayMs, fire);
    this.waits.push(delayMs);
    return systemClock.after(0, fire);
  }
}
const LIMIT_MS = 60_000;
const PARTIAL_LIMIT_MS = 10_000;

let fake: FakeTranscriber;
let clock: HastyClock;
let failures: Failure[];
const opened: Recogniser[] = [];
beforeAll(async () => {
  fake = await FakeTranscriber.start();
});
beforeEach(() => {
  clock = new HastyClock();
  failures = [];
});
afterAll(async () => {
  for (const recogniser of opened) await recogniser.close();
  await fake.close();
});

const open = (options: Partial<UpstreamOptions> = {}): Recogniser => {
  const recogniser = openUpstreamRecogniser({
    baseUrl: fake.url,
    apiKey: KEY,
    model: 'whisper-large',
    timeoutMs: LIMIT_MS,
    concurrency: 2,
    onFailure: (failure) => failures.push(failure),
    clock,
    ...options,
  });
  opened.push(recogniser);
  return recogniser;
};

const segment = (changes: object = {}) => ({
  id: 0,
  tokens: Array.from({ length: 10 }, (_, at) => at),
  avg_logprob: -0.1,
  no_speech_prob: 0.01,
  compression_ratio: 1.2,
  ...changes,
});
const verbose = (text: string, changes: object = {}): TranscriberReply => ({
  kind: 'answer',
  body: {
    task: 'transcribe',
    language: 'english',
    duration: SECONDS,
    text,
    segments: [segment()],
    ...changes,
  },
});
const refuse = (status: number, headers: Record<string, string> = {}): TranscriberReply => ({
  kind: 'refuse',
  status,
  message: `${BODY}: ${KEY}`,
  headers,
});

describe('an upstream recogniser', () => {
  it('sends a WAV file and gives what was heard', async () => {
    fake.script(verbose(' Good evening. '));
    const heard = await open().recognise({ ...request, language: 'en', prompt: 'Dashwood' });
    expect(heard).toEqual({
      text: 'Good evening.',
      language: 'en',
      confidence: expect.closeTo(Math.exp(-0.1)),
      words: null,
      tokens: [],
      suppressed: null,
    });
    const [{ path, authorization, fields, file }] = fake.requests as [(typeof fake.requests)[0]];
    expect([path, authorization, file.name]).toEqual([
      '/v1/audio/transcriptions',
      `Bearer ${KEY}`,
      'speech.wav',
    ]);
    expect(fields).toEqual({
      model: 'whisper-large',
      response_format: 'verbose_json',
      language: 'en',
      prompt: 'Dashwood',
    });
    expect(file.bytes.toString('latin1', 0, 4)).toBe('RIFF');
    expect(file.bytes.readUInt32LE(4)).toBe(file.bytes.length - 8);
    expect(file.bytes.readUInt32LE(24)).toBe(16_000);
    expect(file.bytes.length).toBe(44 + 2 * audio.length);
    expect(file.bytes.readInt16LE(44 + 2 * 1000)).toBe(Math.round(0.25 * 32_767));
  });

  it('says what it is, and that it settles nothing', () => {
    const recogniser = open({ model: 'large-v3', concurrency: 3 });
    expect(recogniser).toMatchObject({ modelName: 'large-v3', keepsPrefix: false });
    expect(recogniser.languages).toEqual(expect.arrayContaining(['en', 'ko', 'yue']));
    expect(recogniser.load()).toEqual({ workers: 3, running: 0, waiting: 0, capacity: null });
  });

  it.each([
    ['english', 'en'],
    ['Korean', 'ko'],
    ['ko', 'ko'],
    ['zh-TW', 'zh'],
    ['haitian creole', 'ht'],
    ['cantonese', 'yue'],
    ['klingon', 'und'],
    [null, 'und'],
  ])('takes the language %s for %s', async (language, code) => {
    fake.script(verbose('Text.', { language }));
    expect((await open().recognise(request)).language).toBe(code);
  });

  it('refuses a language that it does not offer, without asking', async () => {
    fake.script(verbose('Text.'));
    await expect(open().recognise({ ...request, language: 'tlh' })).rejects.toMatchObject({
      code: 'unsupported_option',
    });
    expect(fake.requests).toEqual([]);
  });

  it('asks for less where the endpoint refuses more, and remembers', async () => {
    const formats: unknown[] = [];
    fake.answerBy(({ fields }) => {
      formats.push(fields.response_format, fields['include[]']);
      return fields.response_format === 'json' && !fields['include[]']
        ? { kind: 'answer', body: { text: 'Plain.' } }
        : refuse(fields['include[]'] ? 422 : 400);
    });
    const recogniser = open();
    const plain = { text: 'Plain.', language: 'und', confidence: null, words: null, suppressed: null };
    expect(await recogniser.recognise(request)).toMatchObject(plain);
    expect(await recogniser.recognise({ ...request, words: true, language: 'ko' })).toMatchObject({
      ...plain,
      language: 'ko',
    });
    expect(formats).toEqual([
      ...['verbose_json', undefined, 'json', ['logprobs'], 'json', undefined],
      // Words were not refused yet.
      ...['verbose_json', undefined, 'json', undefined],
    ]);
    fake.requests.length = 0;
    await recogniser.recognise({ ...request, words: true });
    expect(fake.requests).toHaveLength(1);
  });

  it('takes the confidence from the probabilities of tokens where there are no segments', async () => {
    fake.answerBy(({ fields }) =>
      fields.response_format === 'verbose_json'
        ? refuse(400)
        : { kind: 'answer', body: { text: 'Yes.', logprobs: [{ logprob: -0.5 }, { logprob: -0.1 }] } },
    );
    expect((await open().recognise(request)).confidence).toBeCloseTo(Math.exp(-0.3));
  });

  it('does not take a refusal for a matter of form where nothing less is taken either', async () => {
    const recogniser = open();
    fake.script(refuse(400));
    await expect(recogniser.recognise(request)).rejects.toMatchObject({ code: 'recognition_failed' });
    fake.script(verbose('Again.'));
    expect((await recogniser.recognise(request)).confidence).not.toBeNull();
  });

  it('gives words with times where they are asked for and given', async () => {
    const words = [
      { word: ' Good', start: 0.1, end: 0.42, probability: 0.9 },
      { word: ' ', start: 0.42, end: 0.42 },
      { word: 'evening.', start: 0.4, end: 7 },
      { word: 'Sir', start: 0.3, end: 0.2 },
    ];
    fake.script(verbose('Good evening. Sir', { words }));
    const recogniser = open();
    expect((await recogniser.recognise({ ...request, words: true })).words).toEqual([
      { text: 'Good', startMs: 100, endMs: 420, confidence: 0.9 },
      { text: 'evening.', startMs: 400, endMs: 2000, confidence: null },
      { text: 'Sir', startMs: 400, endMs: 400, confidence: null },
    ]);
    expect(fake.requests[0]!.fields['timestamp_granularities[]']).toEqual(['word', 'segment']);
    expect((await recogniser.recognise(request)).words).toBeNull();
    expect(fake.requests[1]!.fields).not.toHaveProperty('timestamp_granularities[]');
    fake.script(verbose('Good evening.'));
    expect((await recogniser.recognise({ ...request, words: true })).words).toBeNull();
  });

  const again = 'Thank you for watching. '.repeat(20);
  it.each([
    ['no_speech', 'Thank you.', [segment({ avg_logprob: -1.2, no_speech_prob: 0.9 })]],
    ['low_confidence', 'Thank you.', [segment({ avg_logprob: -1.7 })]],
    ['too_many_tokens', 'Thank you.', [segment({ tokens: Array.from({ length: 60 }, () => 7) })]],
    ['compression_ratio', again, null],
    [null, 'Thank you.', [segment({ no_speech_prob: 0.9 })]],
    [null, 'Thank you.', [segment({ no_speech_prob: 0.9, avg_logprob: -1.2 }), segment()]],
    [null, 'Thank you.', null],
  ])('withholds what the guards take for invented: %s', async (suppressed, text, segments) => {
    fake.script(verbose(text, { segments, words: [{ word: 'Thank', start: 0, end: 1 }] }));
    const heard = await open().recognise({ ...request, words: true });
    expect(heard).toMatchObject({ suppressed, text: text.trim() });
    expect(heard.words).toHaveLength(suppressed === null ? 1 : 0);
  });

  it('hears nothing in marks alone', async () => {
    fake.script(verbose(' ♪ …'));
    expect(await open().recognise(request)).toMatchObject({ text: '', suppressed: null });
  });

  const FAILURES: Record<string, { reply: TranscriberReply; code: FailureCode; tries: number }> = {
    'a wrong key': { reply: refuse(401), code: 'recognition_failed', tries: 1 },
    'an unknown model': { reply: refuse(404), code: 'recognition_failed', tries: 1 },
    'too many requests': { reply: refuse(429), code: 'overloaded', tries: 3 },
    'an overloaded endpoint': { reply: refuse(503), code: 'overloaded', tries: 3 },
    'a broken endpoint': { reply: refuse(500), code: 'recognition_failed', tries: 3 },
    'a connection dropped at once': { reply: { kind: 'hangUp' }, code: 'recognition_failed', tries: 3 },
    'half an answer': { reply: { kind: 'truncate', how: 'end' }, code: 'recognition_failed', tries: 3 },
    'a connection cut': { reply: { kind: 'truncate', how: 'cut' }, code: 'recognition_failed', tries: 3 },
    'a page of a proxy': {
      reply: { kind: 'garbage', type: 'text/html', text: `<html>${BODY}` },
      code: 'recognition_failed',
      tries: 1,
    },
    'JSON that is no answer': {
      reply: { kind: 'garbage', type: 'application/json', text: JSON.stringify({ text: [BODY] }) },
      code: 'recognition_failed',
      tries: 1,
    },
  };
  it.each(Object.entries(FAILURES))('fails on %s', async (_, { reply, code, tries }) => {
    fake.script(reply);
    const error = await open()
      .recognise(request)
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'Failure', code });
    expect(fake.requests).toHaveLength(tries);
    expect(failures).toEqual([error]);
    // Neither the client nor the log is to see these.
    const all = [error.message, error.cause?.message, error.cause?.stack].join();
    expect(all).not.toContain(KEY);
    expect(all).not.toContain(BODY);
  });

  it('fails where nothing listens', async () => {
    const gone = await FakeTranscriber.start();
    const baseUrl = gone.url;
    await gone.close();
    const failing = open({ baseUrl }).recognise(request);
    await expect(failing).rejects.toMatchObject({ code: 'recognition_failed' });
    expect((failures[0]!.cause as Error).message).toContain('ECONNREFUSED');
  });

  it('tries finals and recordings again, recordings longer, and partials never', async () => {
    const recogniser = open();
    fake.script(refuse(503), refuse(500), verbose('Back.'));
    expect((await recogniser.recognise(request)).text).toBe('Back.');
    expect(clock.waits).toEqual([500, 1000]);

    clock.waits.length = 0;
    fake.script(refuse(429, { 'retry-after': '20' }), { kind: 'hangUp' }, refuse(500), verbose('Back.'));
    expect((await recogniser.recognise({ ...request, urgency: 'recording' })).text).toBe('Back.');
    expect(clock.waits).toEqual([20_000, 1000, 2000]);

    fake.script(refuse(503));
    const partial = recogniser.recognise({ ...request, urgency: 'partial' });
    await expect(partial).rejects.toMatchObject({ code: 'overloaded' });
    expect(fake.requests).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it('does not wait for an endpoint that wants long', async () => {
    fake.script(refuse(429, { 'retry-after': '3600' }));
    await expect(open().recognise(request)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(fake.requests).toHaveLength(1);
  });

  it.each(['silence', 'stall'] as const)('gives up on %s after its time limit, and lets go', async (kind) => {
    fake.script({ kind });
    const recogniser = open({ timeoutMs: 50, clock: systemClock });
    const partial = recogniser.recognise({ ...request, urgency: 'partial' });
    await expect(partial).rejects.toMatchObject({ code: 'recognition_failed' });
    await fake.requests[0]!.abandoned;
  });

  it.each(['silence', 'stall'] as const)('lets go when aborted during %s', async (kind) => {
    fake.script({ kind });
    const abort = new AbortController();
    const hearing = open().recognise(request, abort.signal);
    const ended = expect(hearing).rejects.toThrow('enough');
    await fake.arrived(1);
    abort.abort(new Error('enough'));
    await ended;
    await fake.requests[0]!.abandoned;
    expect(failures).toEqual([]);
  });

  it('has so many requests in flight; finals go before partials, partials before recordings', async () => {
    fake.script({ kind: 'silence' });
    const recogniser = open({ concurrency: 1 });
    const first = new AbortController();
    const blocking = recogniser.recognise(request, first.signal);
    const stopped = expect(blocking).rejects.toThrow('enough');
    await fake.arrived(1);
    const others = (['recording', 'partial', 'final'] as const).map((urgency) =>
      recogniser.recognise({ ...request, prompt: urgency, urgency }),
    );
    expect(recogniser.load()).toMatchObject({ workers: 1, running: 1, waiting: 3 });
    expect(fake.requests).toHaveLength(1);
    fake.answerBy(() => verbose('Done.'));
    first.abort(new Error('enough'));
    await stopped;
    await Promise.all(others);
    expect(fake.requests.map(({ fields }) => fields.prompt)).toEqual(['final', 'partial', 'recording']);
  });

  it('lets go of everything when closed', async () => {
    fake.script({ kind: 'silence' });
    const recogniser = open({ concurrency: 1 });
    const hearings = [1, 2].map(() =>
      expect(recogniser.recognise(request)).rejects.toMatchObject({ code: 'shutting_down' }),
    );
    await fake.arrived(1);
    await recogniser.close();
    await Promise.all(hearings);
    await fake.requests[0]!.abandoned;
  });
});
