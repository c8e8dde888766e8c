/** Deepgram's own SDK for Node, unchanged, against a gateway of ours. */
import { createReadStream, readFileSync } from 'node:fs';
import { DeepgramClient } from '@deepgram/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Received, sentence } from '../http/deepgram/clients.ts';
import { openGateway, type TestGateway } from '../support/api.ts';
import { errorRate, fixture, TRANSCRIPTS } from '../support/speech.ts';

const KEY = 'a-key-of-somebody';
const CLIP = 'austen-0880.wav';
const SAID = TRANSCRIPTS[CLIP]!.text;

describe('the SDK of Deepgram', () => {
  let gateway: TestGateway;
  let url: string;
  let client: DeepgramClient;

  /** The addresses are all that is told to it. */
  const clientOf = (credential: { apiKey: string } | { accessToken: string }) => {
    const live = url.replace(/^http/, 'ws');
    const environment = { base: url, production: live, agent: live, agentRest: url };
    return new DeepgramClient({ ...credential, environment, maxRetries: 0 });
  };

  beforeAll(async () => {
    gateway = await openGateway({ env: { API_KEYS: KEY } });
    url = await gateway.listen();
    client = clientOf({ apiKey: KEY });
  });
  afterAll(() => gateway.close());

  const LIVE = { model: 'nova-3', encoding: 'linear16', sample_rate: 16_000, reconnectAttempts: 0 } as const;

  /** Connects, speaks, does what is to be done then, and hears to the end. */
  async function converse(
    deepgram: DeepgramClient,
    wishes: object,
    speak: (socket: Awaited<ReturnType<typeof connect>>, heard: Received[]) => Promise<void> | void,
  ): Promise<Received[]> {
    const socket = await connect(deepgram, wishes);
    const messages: Received[] = [];
    socket.on('message', (message) => messages.push(message as Received));
    const closed = new Promise<number>((resolve) => socket.on('close', ({ code }) => resolve(code)));
    socket.connect();
    await socket.waitForOpen();
    await speak(socket, messages);
    expect(await closed).toBe(1000);
    return messages;
  }
  const connect = (deepgram: DeepgramClient, wishes: object) =>
    deepgram.listen.v1.connect({ ...LIVE, ...wishes } as Parameters<typeof deepgram.listen.v1.connect>[0]);

  const textOf = (messages: readonly Received[]): string =>
    messages
      .filter(({ type, is_final }) => type === 'Results' && is_final)
      .map(({ channel }) => channel.alternatives[0].transcript)
      .join(' ')
      .trim();

  it('speaks, and hears words while it does', async () => {
    const messages = await converse(
      client,
      {
        language: 'en-US',
        interim_results: 'true',
        smart_format: 'true',
        vad_events: 'true',
        utterance_end_ms: 1000,
        endpointing: 300,
        keyterm: ['ill-disposed'],
        tag: ['test'],
      },
      async (socket) => {
        const audio = sentence(CLIP, 300, 2500);
        for (let at = 0; at < audio.length; at += 6400) socket.sendMedia(audio.subarray(at, at + 6400));
        socket.sendKeepAlive({ type: 'KeepAlive' });
        socket.sendCloseStream({ type: 'CloseStream' });
      },
    );
    // A word that was settled early, on little audio, stands.
    expect(errorRate(textOf(messages), SAID)).toBeLessThanOrEqual(0.3);
    expect(new Set(messages.map(({ type }) => type))).toEqual(
      new Set(['SpeechStarted', 'Results', 'UtteranceEnd', 'Metadata']),
    );
    expect(messages.at(-1)).toMatchObject({ type: 'Metadata', tags: ['test'] });
  });

  it('flushes with Finalize', async () => {
    const messages = await converse(client, {}, async (socket, heard) => {
      socket.sendMedia(sentence(CLIP, 300, 0));
      socket.sendFinalize({ type: 'Finalize' });
      await expect
        .poll(() => heard.some(({ from_finalize }) => from_finalize), { timeout: 60_000 })
        .toBe(true);
      socket.sendCloseStream({ type: 'CloseStream' });
    });
    expect(errorRate(textOf(messages), SAID)).toBeLessThanOrEqual(0.15);
  });

  it('connects with a token that it was granted', async () => {
    const { access_token, expires_in } = await client.auth.v1.tokens.grant({ ttl_seconds: 60 });
    expect(expires_in).toBe(60);
    const messages = await converse(clientOf({ accessToken: access_token }), {}, (socket) =>
      socket.sendCloseStream({ type: 'CloseStream' }),
    );
    expect(messages).toMatchObject([{ type: 'Metadata', duration: 0 }]);
  });

  it('sends a recording', async () => {
    const answer = await client.listen.v1.media.transcribeFile(createReadStream(fixture(CLIP)), {
      model: 'nova-3',
      smart_format: true,
      utterances: true,
      detect_language: true,
    });
    if (!('results' in answer)) throw new Error('no results');
    const [channel] = answer.results.channels;
    expect(errorRate(channel!.alternatives![0]!.transcript!, SAID)).toBeLessThanOrEqual(0.15);
    expect(channel!.detected_language).toBe('en');
    expect(answer.results.utterances!.length).toBeGreaterThan(0);
    expect(answer.metadata.channels).toBe(1);
  });

  it('is told what is wrong', async () => {
    const wrong = client.listen.v1.media.transcribeFile(readFileSync(fixture(CLIP)), { summarize: 'v2' });
    await expect(wrong).rejects.toMatchObject({
      statusCode: 400,
      body: { err_code: 'UNSUPPORTED_OPTION', err_msg: expect.stringContaining('summarize') },
    });
    const stranger = clientOf({ apiKey: 'wrong' }).listen.v1.media.transcribeUrl({
      url: 'https://a.example/',
    });
    await expect(stranger).rejects.toMatchObject({ statusCode: 401 });
  });
});
