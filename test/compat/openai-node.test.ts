/** OpenAI's own client for JavaScript, unmodified, against a gateway that listens. */
import { createReadStream, readFileSync } from 'node:fs';
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  toFile,
} from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { errorRate, fixture, TRANSCRIPTS } from '../support/speech.ts';

const KEY = 'anna-0123456789abcdef';
const CLIP = 'austen-0880.wav';
const SAID = TRANSCRIPTS[CLIP]!.text;
const model = 'whisper-1';

const clientOf = (url: string, apiKey = KEY): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, organization: null, project: null });
const wav = () => toFile(readFileSync(fixture(CLIP)), 'speech.wav');

describe('the npm package openai', () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway({ env: { API_KEYS: KEY } });
    url = await gateway.listen();
    openai = clientOf(url);
  });
  afterAll(() => gateway.close());

  const sessions = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${KEY}` };
    const response = await gateway.request('/v1/sessions?limit=100', { headers });
    return ((await response.json()) as { items: unknown[] }).items.length;
  };
  const create = async <T>(extra: object): Promise<T> =>
    (await openai.audio.transcriptions.create({ file: await wav(), model, ...extra } as never)) as T;

  it('transcribes a file from the disk', async () => {
    const file = createReadStream(fixture(CLIP));
    const { text, usage } = await openai.audio.transcriptions.create({ file, model });
    expect(errorRate(text, SAID)).toBeLessThanOrEqual(0.12);
    expect(usage).toMatchObject({ type: 'duration' });
  });

  it.each([
    'containers/speech.mp3',
    'containers/speech.ogg',
    'containers/speech.flac',
    'containers/speech.webm',
  ])('transcribes %s from memory', async (name) => {
    const file = await toFile(readFileSync(fixture(name)), name.split('/')[1]);
    const { text } = await openai.audio.transcriptions.create({ file, model: 'gpt-4o-mini-transcribe' });
    expect(errorRate(text, SAID)).toBeLessThanOrEqual(0.25);
  });

  it('reads text, SubRip and WebVTT as strings', async () => {
    expect(errorRate(await create<string>({ response_format: 'text' }), SAID)).toBeLessThanOrEqual(0.12);
    expect(await create<string>({ response_format: 'srt' })).toMatch(/^1\n00:00:/);
    expect(await create<string>({ response_format: 'vtt' })).toMatch(/^WEBVTT\n/);
  });

  it('reads verbose_json with segments and words', async () => {
    const answer = await openai.audio.transcriptions.create({
      file: await wav(),
      model,
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
      language: 'en',
      temperature: 0,
      prompt: 'Jane Austen.',
    });
    expect(answer.language).toBe('english');
    expect(answer.duration).toBeCloseTo(answer.usage!.seconds);
    expect(answer.segments!.map(({ text }) => text).join('')).toBe(answer.text);
    const ends = answer.words!.map(({ end }) => end);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    expect(ends.at(-1)).toBeLessThanOrEqual(answer.duration);
  });

  it('streams deltas that make the text', async () => {
    const stream = await openai.audio.transcriptions.create({
      file: await wav(),
      model: 'gpt-4o-transcribe',
      stream: true,
      chunking_strategy: { type: 'server_vad', silence_duration_ms: 300 },
    });
    let text = '';
    const done: string[] = [];
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') text += event.delta;
      if (event.type === 'transcript.text.done') done.push(event.text);
    }
    expect(done).toEqual([text]);
    expect(errorRate(text, SAID)).toBeLessThanOrEqual(0.12);
  });

  it('puts French into English', async () => {
    const file = await toFile(readFileSync(fixture('fr-only-participant.wav')), 'french.wav');
    const { text } = await openai.audio.translations.create({ file, model });
    expect(text).toMatch(/\bonly participant\b.*\bconference\b/);
    const verbose = await openai.audio.translations.create({ file, model, response_format: 'verbose_json' });
    expect(verbose).toMatchObject({ language: 'english', text });
    expect(await openai.audio.translations.create({ file, model, response_format: 'srt' })).toContain(text);
  });

  it('lists models', async () => {
    const names: string[] = [];
    for await (const { id } of openai.models.list()) names.push(id);
    expect(names).toEqual(expect.arrayContaining(['whisper-base', 'whisper-1']));
    expect(await openai.models.retrieve('whisper-1')).toMatchObject({ object: 'model' });
  });

  it('sends one request again under one key, and makes one session', async () => {
    const before = await sessions();
    const file = await wav();
    const once = () =>
      openai.audio.transcriptions.create({ file, model }, { headers: { 'Idempotency-Key': 'mine' } });
    const [first, second] = [await once(), await once()];
    expect(second).toEqual(first);
    expect(await sessions()).toBe(before + 1);
    const other = openai.audio.transcriptions.create(
      { file, model, language: 'en' },
      { headers: { 'Idempotency-Key': 'mine' } },
    );
    await expect(other).rejects.toBeInstanceOf(ConflictError);
  });

  it('throws the classes it has for what is wrong', async () => {
    const file = await wav();
    const wrongKey = clientOf(url, 'wrong').audio.transcriptions.create({ file, model });
    await expect(wrongKey).rejects.toBeInstanceOf(AuthenticationError);
    const unknown = openai.audio.transcriptions.create({ file, model: 'whisper-9' });
    await expect(unknown).rejects.toBeInstanceOf(NotFoundError);
    await expect(unknown).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    const diarized = openai.audio.transcriptions.create({ file, model, response_format: 'diarized_json' });
    await expect(diarized).rejects.toBeInstanceOf(BadRequestError);
    await expect(diarized).rejects.toMatchObject({ param: 'response_format', type: 'invalid_request_error' });
    const noise = await toFile(Buffer.from('<p>No audio here.</p>'), 'page.wav');
    const undecodable = openai.audio.transcriptions.create({ file: noise, model });
    await expect(undecodable).rejects.toBeInstanceOf(BadRequestError);
    await expect(undecodable).rejects.toMatchObject({ code: 'audio_undecodable', param: 'file' });
    await expect(openai.models.retrieve('whisper-9')).rejects.toBeInstanceOf(NotFoundError);
    await expect(openai.audio.speech.create({ input: 'x', model, voice: 'alloy' })).rejects.toBeInstanceOf(
      NotFoundError,
    );
  });
});

describe('the npm package openai, where recognition fails', () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf, env: { MAX_UPLOAD_BYTES: '200000' } });
    openai = clientOf(await gateway.listen());
  });
  afterAll(() => gateway.close());

  it('throws, and does not upload the recording once more', async () => {
    const failing = openai.audio.transcriptions.create({ file: await wav(), model });
    await expect(failing).rejects.toBeInstanceOf(InternalServerError);
    const { items } = await gateway.store.sessions.list('local', { state: null, cursor: null, limit: 10 });
    expect(items).toHaveLength(1);
  });

  it('is told that a recording is too large while it still sends it', async () => {
    const file = await toFile(Buffer.alloc(20_000_000), 'long.wav');
    const failing = openai.audio.transcriptions.create({ file, model });
    await expect(failing).rejects.toMatchObject({ status: 413, code: 'payload_too_large', param: 'file' });
  });

  it('throws in the middle of a stream', async () => {
    const stream = await openai.audio.transcriptions.create({ file: await wav(), model, stream: true });
    const reading = (async () => {
      for await (const _ of stream);
    })();
    await expect(reading).rejects.toBeInstanceOf(APIError);
  });
});
