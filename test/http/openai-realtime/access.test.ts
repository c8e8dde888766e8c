/** Who may open a Realtime connection, and with which configuration it begins. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../../support/api.ts';
import { RealtimeClient } from './client.ts';

const [KEY, OTHER] = ['a-key-of-one', 'a-key-of-another'];

let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  gateway = await openGateway({ recogniser: deaf, env: { API_KEYS: `${KEY},${OTHER}` } });
  url = await gateway.listen();
});
afterAll(() => gateway.close());
afterEach(() => {
  vi.useRealTimers();
});

const secrets = (body: object | string = {}, key: string | null = KEY) =>
  fetch(`${url}/v1/realtime/client_secrets`, {
    method: 'POST',
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const secret = async (body: object = {}) =>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it.
  (await (await secrets({ session: { type: 'transcription' }, ...body })).json()) as any;

describe('a Realtime connection', () => {
  it.each([
    ['a header', { key: KEY }, ''],
    ['a subprotocol', { protocols: ['realtime', `openai-insecure-api-key.${KEY}`] }, 'realtime'],
    [
      'a subprotocol before that of the beta',
      { protocols: ['realtime', `openai-insecure-api-key.${KEY}`, 'openai-beta.realtime-v1'] },
      'realtime',
    ],
  ])('takes a key in %s', async (_, options, protocol) => {
    const client = new RealtimeClient(url, options);
    await client.next('session.created');
    expect(client.socket.protocol).toBe(protocol);
    client.socket.close();
  });

  it.each([
    ['no key', {}],
    ['an unknown key', { key: 'unknown' }],
    ['an unknown key in a subprotocol', { protocols: ['realtime', 'openai-insecure-api-key.unknown'] }],
    ['an unknown secret', { key: 'ek_unknown' }],
  ])('refuses %s', async (_, options) => {
    const client = new RealtimeClient(url, options);
    expect(await client.next('error')).toMatchObject({
      error: { type: 'authentication_error', code: 'unauthorized', event_id: null },
    });
    expect(await client.closed).toEqual({ code: 4401 });
    expect(client.all('session.created')).toEqual([]);
  });

  it.each([
    ['intent=conversation', 'bad_request', 'intent'],
    ['model=gpt-realtime', 'unsupported_option', 'model'],
    ['call_id=rtc_1', 'unsupported_option', 'call_id'],
  ])('refuses ?%s', async (query, code, name) => {
    const client = new RealtimeClient(url, { key: KEY, query });
    expect(await client.next('error')).toMatchObject({
      error: { code, message: expect.stringContaining(name) },
    });
    expect(await client.closed).toEqual({ code: 4400 });
  });

  it('begins with the model of its address', async () => {
    const client = new RealtimeClient(url, { key: KEY, query: 'model=gpt-4o-transcribe' });
    const { session } = await client.next('session.created');
    expect(session.audio.input.transcription.model).toBe('gpt-4o-transcribe');
    client.socket.close();
  });

  it('is told of an address that is asked without an upgrade', async () => {
    const response = await fetch(`${url}/v1/realtime`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('wss://') } });
  });
});

describe('a client secret', () => {
  it('opens connections of its owner, with the configuration it was asked for with', async () => {
    const session = {
      type: 'transcription',
      audio: { input: { transcription: { language: 'ko', model: 'whisper-1' }, turn_detection: null } },
    };
    const made = await secret({ session });
    expect(made).toMatchObject({ value: expect.stringMatching(/^ek_/), session });
    expect(made.expires_at).toBeGreaterThan(Date.now() / 1000 + 590);
    expect(made.expires_at).toBeLessThanOrEqual(Date.now() / 1000 + 600);
    for (const options of [
      { key: made.value },
      { protocols: ['realtime', `openai-insecure-api-key.${made.value}`] },
    ]) {
      const client = new RealtimeClient(url, options);
      const { session: begun } = await client.next('session.created');
      expect(begun).toMatchObject(session);
      expect(begun.audio).toEqual(made.session.audio);
      client.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(4800).toString('base64') });
      await client.settled();
      client.socket.close();
      await client.closed;
    }
    const listed = async (key: string) => {
      const response = await fetch(`${url}/v1/sessions`, { headers: { authorization: `Bearer ${key}` } });
      return ((await response.json()) as { items: unknown[] }).items;
    };
    expect(await listed(KEY)).toHaveLength(2);
    expect(await listed(OTHER)).toEqual([]);
  });

  it('can be told otherwise by the connection', async () => {
    const { value } = await secret({ session: { audio: { input: { turn_detection: null } } } });
    const client = new RealtimeClient(url, { key: value });
    const { session } = await client.update({ turn_detection: { type: 'server_vad' } });
    expect(session.audio.input.turn_detection).toMatchObject({ type: 'server_vad' });
    client.socket.close();
  });

  it('is worth nothing once it has expired', async () => {
    const { value, expires_at } = await secret({ expires_after: { anchor: 'created_at', seconds: 10 } });
    vi.useFakeTimers({ toFake: ['Date'], now: expires_at * 1000 + 1000 });
    const client = new RealtimeClient(url, { key: value });
    expect(await client.next('error')).toMatchObject({ error: { code: 'unauthorized' } });
    expect(await client.closed).toEqual({ code: 4401 });
  });

  it.each([
    ['no key', {}, null, 401, 'key'],
    ['a session of another kind', { session: { type: 'realtime' } }, KEY, 400, 'realtime'],
    ['too short a life', { expires_after: { seconds: 9 } }, KEY, 400, 'expires_after.seconds'],
    ['too long a life', { expires_after: { seconds: 7201 } }, KEY, 400, 'expires_after.seconds'],
    ['another anchor', { expires_after: { anchor: 'used_at' } }, KEY, 400, 'expires_after.anchor'],
    ['an unknown field', { colour: 'red' }, KEY, 400, 'colour'],
    ['an unknown field of a session', { session: { voice: 'alloy' } }, KEY, 400, 'session.voice'],
    ['what is not JSON', '{', KEY, 400, 'JSON'],
  ])('is refused for %s', async (_, body, key, status, word) => {
    const response = await secrets(body, key);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(error.message).toContain(word);
  });

  it('makes no further ones', async () => {
    const { value } = await secret();
    expect((await secrets({}, value)).status).toBe(401);
    const session = await fetch(`${url}/v1/sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
    });
    const { stream } = (await session.json()) as { stream: { token: string } };
    expect((await secrets({}, stream.token)).status).toBe(403);
  });
});
