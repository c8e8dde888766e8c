import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemSchema, sessionSchema } from '../../src/http/schemas.ts';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { databases } from '../support/databases.ts';

describe.each(databases())('sessions over HTTP, on $name', (database) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ database, recogniser: deaf });
  });
  afterAll(() => gateway.close());

  const post = (path: string, body: unknown) =>
    gateway.request(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  const create = async (options: unknown = {}) =>
    (await (await post('/v1/sessions', options)).json()) as never as { id: string };

  it('opens a live session and says where to stream to', async () => {
    const response = await post('/v1/sessions', { language: 'ko-KR', metadata: { call: '7' } });
    expect(response.status).toBe(201);
    const body = await response.json();
    expect(() => sessionSchema.parse(body)).not.toThrow();
    expect(body).toMatchObject({
      state: 'PENDING',
      source: 'live',
      language: 'ko-KR',
      metadata: { call: '7' },
      text: '',
      receipt: null,
      stream: { url: `ws://127.0.0.1/v1/sessions/${body.id}/stream`, token: expect.stringMatching(/^ek_/) },
    });
    expect(response.headers.get('location')).toBe(`/v1/sessions/${body.id}`);
  });

  it('takes an empty body for no options', async () => {
    expect((await gateway.request('/v1/sessions', { method: 'POST' })).status).toBe(201);
  });

  it('is polled by its id, and unknown ids are not found', async () => {
    const { id } = await create();
    const found = await gateway.request(`/v1/sessions/${id}`);
    expect(found.status).toBe(200);
    expect(sessionSchema.parse(await found.json()).id).toBe(id);
    const missing = await gateway.request('/v1/sessions/ses_unknown');
    expect(missing.status).toBe(404);
    expect(problemSchema.parse(await missing.json()).code).toBe('not_found');
  });

  it('is listed newest first, page by page', async () => {
    const ids = [await create(), await create(), await create()].map(({ id }) => id).reverse();
    const first = (await (await gateway.request('/v1/sessions?limit=2')).json()) as never as {
      items: { id: string }[];
      nextCursor: string;
    };
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = (await (
      await gateway.request(`/v1/sessions?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`)
    ).json()) as never as { items: { id: string }[] };
    expect(second.items[0]!.id).toBe(ids[2]);
  });

  it('is deleted once and then gone', async () => {
    const { id } = await create();
    expect((await gateway.request(`/v1/sessions/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await gateway.request(`/v1/sessions/${id}`)).status).toBe(404);
    expect((await gateway.request(`/v1/sessions/${id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('hands out tokens for one session', async () => {
    const { id } = await create();
    const response = await post(`/v1/sessions/${id}/tokens`, { ttlSeconds: 5 });
    expect(response.status).toBe(201);
    const { token, expiresAt } = (await response.json()) as never as { token: string; expiresAt: string };
    expect(token).toMatch(/^ek_[\w-]{32}$/);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
  });

  it('gives its transcript in four formats', async () => {
    const { id } = await create();
    const at = { utteranceId: 'utt_1', startMs: 1_050, endMs: 3_661_999, language: 'en', confidence: 0.5 };
    await gateway.store.log.append(id, [
      {
        type: 'session.started',
        audio: { encoding: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 },
        language: 'auto',
        model: 'whisper-base',
      },
      { type: 'transcript.final', ...at, text: 'Fish --> <b>chips</b> & peas' },
    ]);
    const read = async (format: string) => {
      const response = await gateway.request(`/v1/sessions/${id}/transcript?format=${format}`);
      return { type: response.headers.get('content-type'), text: await response.text() };
    };
    expect(await read('text')).toEqual({
      type: 'text/plain; charset=utf-8',
      text: 'Fish --> <b>chips</b> & peas\n',
    });
    expect((await read('srt')).text).toBe('1\n00:00:01,050 --> 01:01:01,999\nFish → <b>chips</b> & peas\n');
    expect((await read('vtt')).text).toBe(
      'WEBVTT\n\n00:00:01.050 --> 01:01:01.999\nFish → &lt;b&gt;chips&lt;/b&gt; &amp; peas\n',
    );
    expect(JSON.parse((await read('json')).text)).toMatchObject({
      sessionId: id,
      state: 'IN_PROGRESS',
      utterances: [{ id: 'utt_1', startMs: 1_050 }],
    });
  });

  const REFUSED: [string, unknown, number, string, RegExp][] = [
    ['a body that is not JSON', '{', 400, 'bad_request', /not JSON/],
    ['a body that is no object', '[]', 400, 'bad_request', /object/],
    ['an unknown option', { speed: 2 }, 400, 'unsupported_option', /speed/],
    ['an unknown option inside another', { audio: { bits: 8 } }, 400, 'unsupported_option', /audio\.bits/],
    ['a rate out of range', { audio: { sampleRateHz: 4e9 } }, 400, 'bad_request', /audio\.sampleRateHz/],
    ['no channels', { audio: { channels: 0 } }, 400, 'bad_request', /audio\.channels/],
    ['an unknown encoding', { audio: { encoding: 'mp3' } }, 400, 'bad_request', /audio\.encoding/],
    ['a language that is no tag', { language: 'korean!' }, 400, 'bad_request', /language/],
    ['a language the model does not know', { language: 'tlh' }, 400, 'unsupported_option', /tlh/],
    ['a model that is not served', { model: 'whisper-9' }, 400, 'unsupported_option', /whisper-base/],
    ['a language model where there is none', { llm: true }, 400, 'unsupported_option', /LLM=off/],
    ['silence shorter than a breath', { endpointing: { silenceMs: 1 } }, 400, 'bad_request', /silenceMs/],
    ['metadata that is not text', { metadata: { n: 1 } }, 400, 'bad_request', /metadata\.n/],
    [
      'a body beyond the limit',
      JSON.stringify({ prompt: 'x'.repeat(300_000) }),
      413,
      'payload_too_large',
      /bytes/,
    ],
  ];
  for (const [what, body, status, code, detail] of REFUSED)
    it(`refuses ${what} as ${code}`, async () => {
      const response = await post('/v1/sessions', body);
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      const problem = problemSchema.parse(await response.json());
      expect(problem.code).toBe(code);
      expect(problem.detail).toMatch(detail);
      expect(problem.requestId).toBe(response.headers.get('x-request-id'));
    });

  const BAD_READS: [string, string, number, string][] = [
    ['GET', '/v1/sessions?limit=0', 400, 'bad_request'],
    ['GET', '/v1/sessions?state=LOST', 400, 'bad_request'],
    ['GET', '/v1/sessions?cursor=nonsense', 400, 'bad_request'],
    ['GET', '/v1/nothing', 404, 'not_found'],
    ['PUT', '/v1/sessions', 405, 'method_not_allowed'],
    ['PATCH', '/v1/sessions/ses_1', 405, 'method_not_allowed'],
    ['GET', '/v1/stream', 400, 'bad_request'],
    ['GET', '/v1/sessions/ses_none/events', 404, 'not_found'],
  ];
  for (const [method, path, status, code] of BAD_READS)
    it(`answers ${method} ${path} with ${code}`, async () => {
      const response = await gateway.request(path, { method });
      expect(response.status).toBe(status);
      expect(((await response.json()) as { code: string }).code).toBe(code);
    });

  it('refuses a format and a cursor of events that do not exist', async () => {
    const { id } = await create();
    expect((await gateway.request(`/v1/sessions/${id}/transcript?format=doc`)).status).toBe(400);
    expect((await gateway.request(`/v1/sessions/${id}/events?after=-1`)).status).toBe(400);
  });
});
