/** Deepgram's interface for recordings, over a real socket, with real speech and the real recogniser. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerSchema } from '../../../src/http/deepgram/paths.ts';
import { openGateway, type TestGateway } from '../../support/api.ts';
import { errorRate, fixture, silence, TRANSCRIPTS } from '../../support/speech.ts';
import { interleaved, sentence } from './clients.ts';

const CLIP = 'austen-0880.wav';
const SAID = TRANSCRIPTS[CLIP]!.text;
const OTHER = 'austen-0920.wav';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const RAW = 'encoding=linear16&sample_rate=16000';

describe('a recording of a Deepgram client', () => {
  let gateway: TestGateway;
  let url: string;
  let server: Server;
  let origin: string;
  const called: { body: string; headers: Record<string, string> }[] = [];
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (request.method === 'POST') {
        const headers = request.headers as Record<string, string>;
        called.push({ body: Buffer.concat(chunks).toString(), headers });
        return void response.writeHead(204).end();
      }
      if (request.url !== '/clip.wav') return void response.writeHead(404).end();
      response.end(readFileSync(fixture(CLIP)));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    gateway = await openGateway({
      env: { WEBHOOK_SECRET: SECRET, WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8', MAX_UPLOAD_BYTES: '1000000' },
    });
    url = await gateway.listen();
  });
  afterAll(async () => {
    await gateway.close();
    server.close();
  });

  const post = async (query: string, body: BodyInit | null, type = 'audio/wav') => {
    const response = await fetch(`${url}/v1/listen?${query}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });
    // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes are looked into.
    const answer = (await response.json()) as any;
    return { status: response.status, answer, error: response.headers.get('dg-error') };
  };
  const clip = () => new Uint8Array(readFileSync(fixture(CLIP)));

  it('is answered with its words once it has been transcribed', async () => {
    const { status, answer } = await post('model=nova-3&smart_format=true&tag=a&extra=k:v', clip());
    expect(status).toBe(200);
    expect(answerSchema.parse(answer)).toEqual(answer);
    expect(answer.metadata).toMatchObject({
      sha256: createHash('sha256').update(clip()).digest('hex'),
      channels: 1,
      tags: ['a'],
      extra: { k: 'v' },
    });
    expect(answer.metadata.duration).toBeCloseTo((clip().length - 44) / 32_000, 1);
    const [{ alternatives, ...more }] = answer.results.channels;
    expect(more).toEqual({});
    expect(errorRate(alternatives[0].transcript, SAID)).toBeLessThanOrEqual(0.15);
    expect(alternatives[0].words[0]).toMatchObject({ word: 'he', punctuated_word: 'He' });
    expect(answer.results).not.toHaveProperty('utterances');

    const { items } = (await (await gateway.request('/v1/sessions')).json()) as {
      items: { source: string; text: string; metadata: Record<string, string> }[];
    };
    expect(items.find(({ metadata }) => metadata.requestId === answer.metadata.request_id)).toMatchObject({
      source: 'recording',
      text: alternatives[0].transcript,
      metadata: { protocol: 'deepgram', tag: 'a', 'extra.k': 'v' },
    });
  });

  it('is split into utterances at pauses', async () => {
    const audio = new Uint8Array(Buffer.concat([sentence(), sentence(OTHER)]));
    const { answer } = await post(`${RAW}&utterances=true&utt_split=0.5&punctuate=true`, audio, 'audio/raw');
    expect(answerSchema.parse(answer)).toEqual(answer);
    const { utterances } = answer.results;
    expect(utterances.length).toBeGreaterThanOrEqual(2);
    const text = utterances.map(({ transcript }: { transcript: string }) => transcript).join(' ');
    expect(text).toBe(answer.results.channels[0].alternatives[0].transcript);
    for (const [i, { start, words }] of utterances.entries())
      if (i > 0) {
        expect(start - utterances[i - 1].end).toBeGreaterThanOrEqual(0.5);
        expect(words[0].start).toBe(start);
      }
    const whole = await post(`${RAW}&utterances=true&utt_split=60`, audio, 'audio/raw');
    expect(whole.answer.results.utterances).toHaveLength(1);
  });

  it('is heard channel by channel', async () => {
    const audio = interleaved(sentence(), Buffer.concat([silence(1500), sentence(OTHER)]));
    const { answer } = await post(
      `${RAW}&channels=2&multichannel=true&utterances=true`,
      new Uint8Array(audio),
      'audio/raw',
    );
    expect(answerSchema.parse(answer)).toEqual(answer);
    expect(answer.metadata).toMatchObject({ channels: 2, duration: audio.length / 64_000 });
    const [left, right] = answer.results.channels.map(
      (channel: { alternatives: [{ transcript: string }] }) => channel.alternatives[0].transcript,
    );
    expect(errorRate(left, SAID)).toBeLessThanOrEqual(0.15);
    expect(errorRate(right, TRANSCRIPTS[OTHER]!.text)).toBeLessThanOrEqual(0.15);
    const { utterances } = answer.results;
    expect(new Set(utterances.map(({ channel }: { channel: number }) => channel))).toEqual(new Set([0, 1]));
  });

  it('is known by its header for how many channels it has', async () => {
    const { answer } = await post('multichannel=true', clip());
    expect(answer.results.channels).toHaveLength(1);
    const refused = await post(
      'multichannel=true',
      new Uint8Array(readFileSync(fixture('containers/speech.m4a'))),
    );
    expect(refused).toMatchObject({ status: 400, error: expect.stringContaining('multichannel') });
  });

  it('is fetched where an address is given', async () => {
    const body = JSON.stringify({ url: `${origin}/clip.wav` });
    const { status, answer } = await post('detect_language=true&punctuate=false', body, 'application/json');
    expect(status).toBe(200);
    expect(answer.metadata.sha256).toBe(createHash('sha256').update(clip()).digest('hex'));
    expect(answer.results.channels[0].detected_language).toBe('en');
    expect(answer.results.channels[0].alternatives[0].transcript).toMatch(/^he was not [a-z' -]+$/);
  });

  it('is answered at once where somebody is to be called back, who gets the same answer, signed', async () => {
    const query = `callback=${encodeURIComponent(`${origin}/hook`)}&callback_method=post&utterances=true`;
    const { status, answer } = await post(query, clip());
    expect(status).toBe(200);
    expect(answer).toEqual({ request_id: expect.any(String) });
    await expect.poll(() => called.length, { timeout: 30_000 }).toBe(1);
    const { body, headers } = called[0]!;
    const told = new Webhook(SECRET).verify(body, headers) as ReturnType<typeof answerSchema.parse>;
    expect(answerSchema.parse(told)).toEqual(told);
    expect(told.metadata).toMatchObject({ request_id: answer.request_id });
    expect(errorRate(told.results.channels[0]!.alternatives[0]!.transcript, SAID)).toBeLessThanOrEqual(0.15);
    expect(told.results.utterances!.length).toBeGreaterThan(0);
  });

  it('tells whoever is to be called back of a failure too', async () => {
    called.length = 0;
    const query = `callback=${encodeURIComponent(`${origin}/hook`)}`;
    const broken = clip().slice(0, 44);
    const { answer } = await post(query, broken);
    await expect.poll(() => called.length, { timeout: 30_000 }).toBe(1);
    expect(JSON.parse(called[0]!.body)).toEqual({
      err_code: 'AUDIO_EMPTY',
      err_msg: expect.any(String),
      request_id: answer.request_id,
    });
  });

  it('gives an empty transcript of silence', async () => {
    const { status, answer } = await post(RAW, new Uint8Array(silence(1000)), 'audio/raw');
    expect(status).toBe(200);
    expect(answer.results.channels).toEqual([
      { alternatives: [{ transcript: '', confidence: 0, words: [] }] },
    ]);
  });

  it.each<[string, string, BodyInit | null, string, number, string]>([
    ['nothing', '', null, 'audio/wav', 422, 'AUDIO_EMPTY'],
    [
      'what is no audio',
      '',
      'this is text, and long enough to be told from audio',
      'audio/wav',
      415,
      'AUDIO_UNDECODABLE',
    ],
    ['too much', RAW, new Uint8Array(1_000_001), 'audio/raw', 413, 'PAYLOAD_TOO_LARGE'],
    ['JSON that is none', '', '{', 'application/json', 400, 'BAD_REQUEST'],
    ['JSON without an address', '', '{}', 'application/json', 400, 'BAD_REQUEST'],
    [
      'an address of nowhere',
      '',
      '{"url":"file:///etc/passwd"}',
      'application/json',
      400,
      'ADDRESS_NOT_ALLOWED',
    ],
    [
      'an address of others',
      '',
      '{"url":"https://10.0.0.1/"}',
      'application/json',
      400,
      'ADDRESS_NOT_ALLOWED',
    ],
  ])('is refused: %s', async (_what, query, body, type, status, code) => {
    expect(await post(query, body, type)).toMatchObject({ status, answer: { err_code: code } });
  });

  it('is refused where there is nothing at its address', async () => {
    const { status, answer } = await post('', JSON.stringify({ url: `${origin}/none` }), 'application/json');
    expect(status).toBe(502);
    expect(answer).toMatchObject({ err_code: 'AUDIO_UNREACHABLE', err_msg: expect.any(String) });
  });

  it.each([
    ['encoding=linear16', 'sample_rate'],
    ['encoding=amr-nb&sample_rate=8000', 'encoding'],
    ['callback=nowhere', 'callback'],
    ['callback=https%3A%2F%2F10.0.0.1', 'callback'],
    ['callback_method=PUT', 'callback_method'],
    [`callback=http%3A%2F%2F127.0.0.1&multichannel=true`, 'callback'],
    ['utt_split=-1', 'utt_split'],
    ['paragraphs=true', 'paragraphs'],
    ['summarize=v2', 'summarize'],
    ['interim_results=true', 'interim_results'],
  ])('is refused with %s, naming %s', async (query, name) => {
    const { status, answer, error } = await post(query, clip());
    expect(status).toBe(400);
    expect(answer.err_msg).toContain(name);
    expect(error).toBe(answer.err_msg);
  });

  it('leaves nothing behind where it is refused', async () => {
    const { items } = (await (await gateway.request('/v1/sessions?state=PENDING')).json()) as { items: [] };
    expect(items).toEqual([]);
  });
});
