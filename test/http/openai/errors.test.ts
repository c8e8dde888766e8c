/** What is wrong with a request for a transcription is told in OpenAI's shape, with the field at fault. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../../support/api.ts';
import { fixture } from '../../support/speech.ts';
import { type ErrorBody, type Fields, formOf, framesOf, post, speech } from './support.ts';

const MODEL = { model: 'whisper-1' };
const VERBOSE = { ...MODEL, response_format: 'verbose_json' };

const errorOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  return ((await response.json()) as ErrorBody).error;
};

describe('a request for a transcription', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf, env: { MAX_UPLOAD_BYTES: '200000' } });
  });
  afterAll(() => gateway.close());

  const UNSUPPORTED: [Fields, string][] = [
    [{ ...MODEL, speed: '2' }, 'speed'],
    [{ ...MODEL, '__proto__[x]': '2' }, '__proto__'],
    [{ ...MODEL, 'include[]': 'logprobs' }, 'include'],
    [{ ...MODEL, 'known_speaker_names[]': 'anna' }, 'known_speaker_names'],
    [{ ...MODEL, 'known_speaker_references[]': 'data:' }, 'known_speaker_references'],
    [{ ...MODEL, response_format: 'diarized_json' }, 'response_format'],
    [{ ...VERBOSE, stream: 'true' }, 'response_format'],
    [{ ...MODEL, 'timestamp_granularities[]': 'word' }, 'timestamp_granularities'],
    [{ ...MODEL, temperature: '0.4' }, 'temperature'],
    [{ ...MODEL, language: 'tlh' }, 'language'],
    [{ ...MODEL, 'languages[]': ['en', 'ko'] }, 'languages'],
    [{ ...MODEL, language: 'en', 'languages[]': 'en' }, 'languages'],
    [
      { ...MODEL, 'chunking_strategy[type]': 'server_vad', 'chunking_strategy[threshold]': '0.7' },
      'chunking_strategy.threshold',
    ],
    [
      { ...MODEL, chunking_strategy: '{"type":"server_vad","prefix_padding_ms":300}' },
      'chunking_strategy.prefix_padding_ms',
    ],
  ];
  it.each(UNSUPPORTED)('with %j is refused for %s', async (fields, param) => {
    const response = await post(gateway, 'transcriptions', formOf(fields));
    expect(response.status).toBe(400);
    const error = await errorOf(response);
    expect(error).toMatchObject({ type: 'invalid_request_error', code: 'unsupported_option', param });
    expect(error.message).toContain(param);
  });

  const MALFORMED: [Fields, string][] = [
    [{}, 'model'],
    [{ model: ['whisper-1', 'whisper-1'] }, 'model'],
    [{ ...MODEL, language: 'English!' }, 'language'],
    [{ ...MODEL, temperature: 'warm' }, 'temperature'],
    [{ ...MODEL, temperature: '' }, 'temperature'],
    [{ ...MODEL, temperature: '2' }, 'temperature'],
    [{ ...MODEL, stream: 'perhaps' }, 'stream'],
    [{ ...MODEL, response_format: 'xml' }, 'response_format'],
    [{ ...VERBOSE, 'timestamp_granularities[]': ['word', 'letter'] }, 'timestamp_granularities'],
    [{ ...MODEL, prompt: 'x'.repeat(2001) }, 'prompt'],
    [{ ...MODEL, prompt: 'x'.repeat(70_000) }, 'file'],
    [{ ...MODEL, prompt: 'x'.repeat(1500), 'keywords[]': 'y'.repeat(600) }, 'keywords'],
    [{ ...MODEL, 'keywords[]': Array<string>(300).fill('y') }, 'file'],
    [{ ...MODEL, chunking_strategy: 'by hand' }, 'chunking_strategy.type'],
    [{ ...MODEL, chunking_strategy: 'auto', 'chunking_strategy[type]': 'auto' }, 'chunking_strategy'],
    [{ ...MODEL, chunking_strategy: '[]' }, 'chunking_strategy'],
    [
      { ...MODEL, chunking_strategy: '{"type":"server_vad","silence_duration_ms":50}' },
      'chunking_strategy.silence_duration_ms',
    ],
  ];
  it.each(MALFORMED.map(([fields, param]) => [JSON.stringify(fields).slice(0, 80), param, fields] as const))(
    'with %s is refused for %s',
    async (_shown, param, fields) => {
      const response = await post(gateway, 'transcriptions', formOf(fields));
      expect(response.status).toBe(400);
      expect(await errorOf(response)).toMatchObject({ code: 'bad_request', param });
    },
  );

  it('for a model that is not served is refused as the vendor does', async () => {
    const response = await post(gateway, 'transcriptions', formOf({ model: 'whisper-9' }));
    expect(response.status).toBe(404);
    expect(await errorOf(response)).toMatchObject({
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
      message: expect.stringContaining('whisper-base'),
    });
  });

  it('for a translation knows fewer fields', async () => {
    for (const field of ['language', 'stream', 'timestamp_granularities[]', 'chunking_strategy']) {
      const response = await post(gateway, 'translations', formOf({ ...MODEL, [field]: 'en' }));
      expect(response.status).toBe(400);
      expect((await errorOf(response)).param).toBe(field.replace('[]', ''));
    }
  });

  it('for a translation is refused where the model knows English only', async () => {
    const response = await post(gateway, 'translations', formOf(MODEL));
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({
      code: 'unsupported_option',
      message: expect.stringContaining('whisper-base'),
    });
  });

  const bytes = (count: number) => new File([new Uint8Array(count)], 'a.wav');
  const FILES: [string, File | null, number, string][] = [
    ['without a file', null, 400, 'bad_request'],
    ['with an empty file', bytes(0), 400, 'audio_empty'],
    ['with a file that is no audio', new File(['<p>No audio here.</p>'], 'a.wav'), 400, 'audio_undecodable'],
    ['with too large a file', bytes(300_000), 413, 'payload_too_large'],
  ];
  it.each(FILES)('%s is refused, and leaves nothing behind', async (_what, file, status, code) => {
    const response = await post(gateway, 'transcriptions', formOf(MODEL, file));
    expect(response.status).toBe(status);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(await errorOf(response)).toMatchObject({ type: 'invalid_request_error', code, param: 'file' });
    expect(readdirSync(join(gateway.config.DATA_DIR, 'uploads'))).toEqual([]);
    const { items } = await gateway.store.sessions.list('local', { state: null, cursor: null, limit: 1 });
    expect(items).toEqual([]);
  });

  it('that is no form, or of another method, is told so', async () => {
    const json = await post(gateway, 'transcriptions', '{}', { 'content-type': 'application/json' });
    expect(json.status).toBe(400);
    expect(await errorOf(json)).toMatchObject({ code: 'bad_request' });
    const get = await gateway.request('/v1/audio/transcriptions');
    expect(get.status).toBe(405);
    expect(get.headers.get('allow')).toBe('POST');
    expect(await errorOf(get)).toMatchObject({ code: 'method_not_allowed' });
    const speak = await gateway.request('/v1/audio/speech', { method: 'POST' });
    expect(speak.status).toBe(404);
    expect(await errorOf(speak)).toMatchObject({ code: 'not_found' });
  });

  it('whose recording cannot be recognised is answered with why, and not sent again', async () => {
    const response = await post(gateway, 'transcriptions', formOf(MODEL));
    expect(response.status).toBe(500);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(await errorOf(response)).toMatchObject({ type: 'server_error', param: null });
  });

  it('whose recording turns out to be damaged is the client’s to mend', async () => {
    const damaged = readFileSync(fixture('containers/speech.flac')).subarray(0, 200);
    const file = new File([damaged], 'a.flac');
    const response = await post(gateway, 'transcriptions', formOf(MODEL, file));
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ code: expect.stringMatching(/^audio_/), param: 'file' });
  });

  it('that fails once text is streamed is told so in the stream, which then ends', async () => {
    const response = await post(gateway, 'transcriptions', formOf({ ...MODEL, stream: 'true' }));
    expect(response.status).toBe(200);
    const frames = framesOf(await response.text());
    expect(frames).toHaveLength(1);
    expect(JSON.parse(frames[0]!)).toMatchObject({ error: { type: 'server_error', param: null } });
  });
});

describe('a gateway with keys', () => {
  const KEY = 'anna-0123456789abcdef';
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf, env: { API_KEYS: KEY } });
  });
  afterAll(() => gateway.close());

  it('asks OpenAI’s clients for one', async () => {
    for (const path of ['/v1/models', '/v1/models/whisper-1', '/v1/audio/transcriptions']) {
      const method = path.includes('audio') ? 'POST' : 'GET';
      for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
        const response = await gateway.request(path, { method, headers });
        expect(response.status).toBe(401);
        expect(await errorOf(response)).toMatchObject({ type: 'authentication_error', code: 'unauthorized' });
      }
    }
  });

  it('lists its model, and the names that stand for it', async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    const list = (await (await gateway.request('/v1/models', { headers })).json()) as {
      object: string;
      data: { id: string; object: string }[];
    };
    expect(list.object).toBe('list');
    expect(list.data[0]).toEqual({ id: 'whisper-base', object: 'model', created: 0, owned_by: 'earshot' });
    for (const model of list.data) {
      const response = await gateway.request(`/v1/models/${encodeURIComponent(model.id)}`, { headers });
      expect(await response.json()).toEqual(model);
    }
    const missing = await gateway.request('/v1/models/whisper-9', { headers });
    expect(missing.status).toBe(404);
    expect(await errorOf(missing)).toMatchObject({ code: 'model_not_found', param: 'model' });
  });
});

describe('a recording that takes long', () => {
  /** Hears nothing for as long as it is not told to stop, or to go on. */
  const deliberate = () => {
    let goOn = () => {};
    const told = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const recogniser = {
      ...deaf,
      recognise: (_request: unknown, signal?: AbortSignal) =>
        new Promise<never>((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
          void told.then(() => reject(new Error('enough')));
        }),
    };
    return { recogniser, goOn: () => goOn() };
  };

  /** Waits until so many sessions are there. */
  const begun = (gateway: TestGateway, count: number) =>
    vi.waitFor(async () => {
      const { items } = await gateway.store.sessions.list('local', { state: null, cursor: null, limit: 100 });
      expect(items).toHaveLength(count);
      return items.map(({ record }) => record.id);
    }, 10_000);

  it('goes on where its client leaves, and nobody is left waiting for it', async () => {
    const { recogniser, goOn } = deliberate();
    const gateway = await openGateway({ recogniser });
    const url = await gateway.listen();
    for (const fields of [MODEL, { ...MODEL, stream: 'true' }]) {
      const leaving = new AbortController();
      const asking = fetch(`${url}/v1/audio/transcriptions`, {
        method: 'POST',
        body: formOf(fields),
        signal: leaving.signal,
      }).then((response) => response.text());
      asking.catch(() => {});
      await begun(gateway, fields === MODEL ? 1 : 2);
      const readers = async () => await (await gateway.request('/metrics')).text();
      await vi.waitFor(async () => expect(await readers()).toMatch(/^earshot_readers 1$/m), 10_000);
      leaving.abort();
      await expect(asking).rejects.toThrow();
      await vi.waitFor(async () => expect(await readers()).toMatch(/^earshot_readers 0$/m), 10_000);
    }
    goOn();
    for (const id of await begun(gateway, 2))
      await vi.waitFor(async () => {
        const session = (await (await gateway.request(`/v1/sessions/${id}`)).json()) as { state: string };
        expect(session.state).toBe('FAILED');
      }, 10_000);
    await gateway.close();
  });

  it('is told to be gone where it is deleted meanwhile', async () => {
    const gateway = await openGateway({ recogniser: deliberate().recogniser });
    // Deleted as early as may be, which is while its readers come in.
    for (let round = 0; round < 8; round++) {
      const whole = post(gateway, 'transcriptions', formOf(MODEL));
      const streamed = post(gateway, 'transcriptions', formOf({ ...MODEL, stream: 'true' }));
      for (const id of await begun(gateway, 2))
        await gateway.request(`/v1/sessions/${id}`, { method: 'DELETE' });
      const response = await whole;
      expect(response.status).toBe(404);
      expect(await errorOf(response)).toMatchObject({ code: 'not_found' });
      const frames = framesOf(await (await streamed).text());
      expect(JSON.parse(frames[0]!)).toMatchObject({ error: { code: 'not_found' } });
    }
    await gateway.close();
  });

  it('keeps others out for a while where too many wait', async () => {
    const gateway = await openGateway({
      recogniser: deliberate().recogniser,
      env: { MAX_QUEUED_RECORDINGS: '1' },
    });
    const leaving = new AbortController();
    const url = await gateway.listen();
    const ask = () =>
      fetch(`${url}/v1/audio/transcriptions`, {
        method: 'POST',
        body: formOf(MODEL, speech()),
        signal: leaving.signal,
      });
    let refused: Response | undefined;
    await vi.waitFor(async () => {
      const answer = await Promise.race([
        ask(),
        new Promise<null>((resolve) => setTimeout(resolve, 500, null)),
      ]);
      expect(answer).not.toBeNull();
      refused = answer!;
    }, 30_000);
    expect(refused!.status).toBe(503);
    expect(Number(refused!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused!.headers.get('x-should-retry')).toBeNull();
    expect(await errorOf(refused!)).toMatchObject({ type: 'server_error', code: 'overloaded' });
    leaving.abort();
    await gateway.close();
  });
});
