/** Deepgram's live interface over real sockets, with real speech and the real recogniser. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../../support/api.ts';
import { errorRate, fixture, silence, TRANSCRIPTS } from '../../support/speech.ts';
import { DeepgramSocket, interleaved, refusal, sentence } from './clients.ts';

const SAID = TRANSCRIPTS['austen-0880.wav']!.text;
const LINEAR = { model: 'nova-3', encoding: 'linear16', sample_rate: 16_000 };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('a live connection of a Deepgram client', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway();
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  interface Listed {
    readonly id: string;
    readonly state: string;
    readonly text: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly receipt: { readonly endedBy: string; readonly receivedMs: number };
  }
  const sessionsOf = async (requestId: string): Promise<Listed[]> => {
    const { items } = (await (await gateway.request('/v1/sessions?limit=100')).json()) as { items: Listed[] };
    return items.filter(({ metadata }) => metadata.requestId === requestId);
  };

  it('gives interim and final results with words, then what they were of, and closes', async () => {
    const socket = new DeepgramSocket(url, { ...LINEAR, interim_results: true, vad_events: true });
    const audio = sentence();
    await socket.say(audio.subarray(0, 32 * 1600));
    await socket.next('Results', ({ is_final }) => !is_final);
    await socket.say(audio.subarray(32 * 1600));
    await socket.tell('CloseStream');
    expect(await socket.closed).toEqual({ code: 1000, reason: '' });

    const types = socket.messages.map(({ type }) => type);
    expect(types[0]).toBe('SpeechStarted');
    expect(socket.messages[0]).toMatchObject({ channel: [0, 1], timestamp: expect.any(Number) });
    expect(types.at(-1)).toBe('Metadata');
    expect(types.filter((type) => type === 'Metadata')).toHaveLength(1);
    // A word that was settled early, on little audio, stands.
    expect(errorRate(socket.text(), SAID)).toBeLessThanOrEqual(0.3);

    const [final] = socket.finals();
    expect(final).toMatchObject({
      channel_index: [0, 1],
      is_final: true,
      speech_final: true,
      from_finalize: false,
      metadata: { model_info: { name: 'whisper-base', arch: 'whisper-base' } },
    });
    const { words, transcript, confidence } = final!.channel.alternatives[0];
    expect(confidence).toBeGreaterThan(0.3);
    expect(words.map((word: { punctuated_word: string }) => word.punctuated_word).join(' ')).toBe(transcript);
    expect(words[0].word).toBe('he');
    let before = final!.start;
    for (const { start, end } of words) {
      expect(start).toBeGreaterThanOrEqual(before);
      expect(end).toBeGreaterThanOrEqual(start);
      before = start;
    }
    expect(before).toBeLessThanOrEqual(final!.start + final!.duration);
    for (const interim of socket.all('Results').filter(({ is_final }) => !is_final)) {
      expect(interim).toMatchObject({ speech_final: false, from_finalize: false });
      expect(interim.channel.alternatives[0].words.length).toBeGreaterThan(0);
    }

    const metadata = socket.messages.at(-1)!;
    expect(metadata).toMatchObject({
      transaction_key: 'deprecated',
      request_id: final!.metadata.request_id,
      sha256: createHash('sha256').update(audio).digest('hex'),
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      duration: audio.length / 32_000,
      channels: 1,
      models: [final!.metadata.model_uuid],
      model_info: { [final!.metadata.model_uuid]: final!.metadata.model_info },
    });
    expect(metadata.request_id).toMatch(UUID);

    const [session] = await sessionsOf(metadata.request_id);
    expect(session).toMatchObject({
      state: 'DONE',
      source: 'live',
      text: socket.text(),
      metadata: { protocol: 'deepgram' },
      receipt: { endedBy: 'client', receivedMs: audio.length / 32 },
    });
    const events = await (await gateway.request(`/v1/sessions/${session!.id}/events`)).text();
    expect(events).toContain('event: session.done');
  });

  it('sends neither interim results nor the beginnings of speech unasked', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.say(sentence());
    await socket.tell('CloseStream');
    await socket.closed;
    expect(new Set(socket.messages.map(({ type }) => type))).toEqual(new Set(['Results', 'Metadata']));
    expect(socket.all('Results')).toEqual(socket.finals());
  });

  it('flushes what is being said at Finalize, and says when that is all', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.say(sentence().subarray(0, 32 * 2000));
    await socket.tell('Finalize');
    const flushed = await socket.next('Results', ({ from_finalize }) => from_finalize);
    expect(flushed).toMatchObject({ is_final: true, speech_final: false });
    expect(flushed.channel.alternatives[0].transcript).toMatch(/^He was not/);
    await socket.tell('Finalize');
    const answered = () => socket.all('Results').filter(({ from_finalize }) => from_finalize);
    await socket.next('Results', (result) => result.from_finalize && result !== flushed);
    expect(answered()[1]!.channel.alternatives).toEqual([{ transcript: '', confidence: 0, words: [] }]);
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
    expect(answered()).toHaveLength(2);
  });

  it('answers a Finalize before any audio', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.tell('Finalize');
    expect(await socket.next('Results')).toMatchObject({ from_finalize: true, start: 0, duration: 0 });
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
  });

  it('takes an empty frame for the end, as old clients send it', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.say(sentence());
    socket.socket.send(Buffer.alloc(0));
    expect((await socket.closed).code).toBe(1000);
    expect(errorRate(socket.text(), SAID)).toBeLessThanOrEqual(0.15);
    expect(socket.messages.at(-1)!.type).toBe('Metadata');
  });

  it('says nothing of silence but how long it was', async () => {
    const socket = new DeepgramSocket(url, {
      ...LINEAR,
      interim_results: true,
      vad_events: true,
      utterance_end_ms: 1000,
    });
    await socket.say(silence(3000));
    await socket.tell('CloseStream');
    await socket.closed;
    expect(socket.messages).toMatchObject([{ type: 'Metadata', duration: 3 }]);
  });

  it('ends well where no audio came at all', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
    expect(socket.messages).toMatchObject([
      { type: 'Metadata', duration: 0, sha256: createHash('sha256').digest('hex') },
    ]);
  });

  it('lets a client go that says nothing, and keeps one that says KeepAlive', async () => {
    const impatient = await openGateway({ env: { IDLE_MS: '1000' }, recogniser: deaf });
    const there = await impatient.listen();
    const silent = new DeepgramSocket(there, LINEAR);
    const patient = new DeepgramSocket(there, LINEAR);
    await patient.opened;
    const telling = setInterval(() => void patient.tell('KeepAlive'), 200);
    expect(await silent.closed).toEqual({ code: 1011, reason: expect.stringMatching(/^NET-0001: /) });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    clearInterval(telling);
    await patient.say(silence(500));
    await patient.tell('CloseStream');
    expect((await patient.closed).code).toBe(1000);
    expect(patient.messages.at(-1)).toMatchObject({ type: 'Metadata', duration: 0.5 });
    await impatient.close();
  });

  it('tells of the end of an utterance once nobody has spoken for so long', async () => {
    const socket = new DeepgramSocket(url, {
      ...LINEAR,
      interim_results: true,
      utterance_end_ms: 1000,
      endpointing: 300,
    });
    await socket.say(sentence('austen-0880.wav', 300, 2500));
    const end = await socket.next('UtteranceEnd');
    const final = socket.finals().at(-1)!;
    expect(end).toEqual({
      type: 'UtteranceEnd',
      channel: [0, 1],
      last_word_end: final.channel.alternatives[0].words.at(-1).end,
    });
    await socket.say(sentence());
    await socket.tell('CloseStream');
    await socket.closed;
    expect(socket.finals().length).toBeGreaterThanOrEqual(2);
    expect(socket.all('UtteranceEnd')).toHaveLength(1);
  });

  it('hears each channel by itself', async () => {
    const socket = new DeepgramSocket(url, { ...LINEAR, channels: 2, multichannel: true });
    const other = 'austen-0920.wav';
    const audio = interleaved(sentence(), Buffer.concat([silence(2000), sentence(other)]));
    await socket.say(audio, 12_800);
    await socket.tell('Finalize');
    await socket.next('Results', ({ from_finalize, channel_index: [index] }) => from_finalize && index === 0);
    await socket.next('Results', ({ from_finalize, channel_index: [index] }) => from_finalize && index === 1);
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
    expect(errorRate(socket.text(0), SAID)).toBeLessThanOrEqual(0.15);
    expect(errorRate(socket.text(1), TRANSCRIPTS[other]!.text)).toBeLessThanOrEqual(0.15);
    expect(new Set(socket.finals().map(({ channel_index }) => channel_index[1]))).toEqual(new Set([2]));
    const metadata = socket.messages.at(-1)!;
    expect(metadata).toMatchObject({ type: 'Metadata', channels: 2, duration: audio.length / 64_000 });
    const sessions = await sessionsOf(metadata.request_id);
    expect(sessions.map(({ metadata: { channel } }) => channel).sort()).toEqual(['0', '1']);
    for (const {
      text,
      metadata: { channel },
    } of sessions)
      expect(text).toBe(socket.text(Number(channel)));
  });

  it('mixes the channels where they are not to be kept apart', async () => {
    const socket = new DeepgramSocket(url, { ...LINEAR, channels: 2 });
    await socket.say(interleaved(sentence(), sentence()), 12_800);
    await socket.tell('CloseStream');
    await socket.closed;
    expect(errorRate(socket.text(), SAID)).toBeLessThanOrEqual(0.15);
    expect(socket.finals()[0]!.channel_index).toEqual([0, 1]);
  });

  const asFloats = (audio: Buffer): Buffer => {
    const floats = new Float32Array(audio.length / 2);
    for (let at = 0; at < floats.length; at++) floats[at] = audio.readInt16LE(2 * at) / 2 ** 15;
    return Buffer.from(floats.buffer);
  };
  const file = (name: string) => readFileSync(fixture(name));
  it.each<[string, Record<string, string | number>, () => Buffer]>([
    ['linear32', { encoding: 'linear32', sample_rate: 16_000 }, () => asFloats(sentence())],
    ['WAV', {}, () => file('austen-0880.wav')],
    ['FLAC', { encoding: 'flac', sample_rate: 16_000 }, () => file('containers/speech.flac')],
    ['Opus in Ogg', { encoding: 'ogg-opus' }, () => file('containers/speech.ogg')],
    ['WebM', {}, () => file('containers/chromium.webm')],
  ])('hears %s', async (_name, query, audio) => {
    const socket = new DeepgramSocket(url, { model: 'nova-2', ...query });
    await socket.say(audio());
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
    expect(errorRate(socket.text(), SAID)).toBeLessThanOrEqual(0.2);
  });

  it('takes a frame as large as a whole recording', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.say(sentence('austen-0880.wav', 6000), 1_000_000);
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
    expect(errorRate(socket.text(), SAID)).toBeLessThanOrEqual(0.15);
  });

  it('leaves punctuation out where that is said', async () => {
    const socket = new DeepgramSocket(url, { ...LINEAR, punctuate: false, interim_results: true });
    await socket.say(sentence());
    await socket.tell('CloseStream');
    await socket.closed;
    for (const { channel } of socket.all('Results')) {
      const [{ transcript, words }] = channel.alternatives;
      expect(transcript).toMatch(/^[a-z' -]+$/);
      for (const word of words) expect(word).not.toHaveProperty('punctuated_word');
    }
  });

  it('ends no speech where there are to be no endpoints', async () => {
    const socket = new DeepgramSocket(url, { ...LINEAR, endpointing: false });
    await socket.say(sentence());
    await socket.next('Results', ({ is_final }) => is_final);
    await socket.tell('CloseStream');
    await socket.closed;
    expect(socket.finals().map(({ speech_final }) => speech_final)).toEqual(socket.finals().map(() => false));
  });

  it('says which language was spoken where several may be', async () => {
    const socket = new DeepgramSocket(url, { ...LINEAR, language: 'multi' });
    await socket.say(sentence());
    await socket.tell('CloseStream');
    await socket.closed;
    expect(socket.finals()[0]!.channel.alternatives[0].languages).toEqual(['en']);
  });

  it('gives tags and extras back, and keeps them with the session', async () => {
    const socket = new DeepgramSocket(url, {
      ...LINEAR,
      tag: ['one', 'two'],
      extra: ['call:7', 'note:a:b'],
      keyterm: ['Dashwood', 'ill-disposed'],
    });
    await socket.tell('CloseStream');
    await socket.closed;
    const [metadata] = socket.messages;
    expect(metadata).toMatchObject({ tags: ['one', 'two'], extra: { call: '7', note: 'a:b' } });
    const [session] = await sessionsOf(metadata!.request_id);
    expect(session!.metadata).toMatchObject({ tag: 'one,two', 'extra.call': '7', 'extra.note': 'a:b' });
  });

  it('says of an unknown message that it is none, and closes at one that is no JSON', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.tell('Configure');
    expect(await socket.next('Error')).toEqual({
      type: 'Error',
      variant: 'SchemaError',
      description: expect.stringContaining('Configure'),
      message: '{"type":"Configure"}',
    });
    socket.socket.send('{"type":');
    expect(await socket.closed).toEqual({ code: 1008, reason: expect.stringMatching(/^BAD_MESSAGE: /) });
  });

  it('closes where the audio is none', async () => {
    const socket = new DeepgramSocket(url, { model: 'nova-3' });
    await socket.say(Buffer.from('<!doctype html><p>no audio, whatever it was sent as</p>'.repeat(100)));
    expect(await socket.closed).toEqual({ code: 1008, reason: expect.stringMatching(/^DATA-0000: /) });
  });

  it('ends the session of a client that leaves without a word', async () => {
    const socket = new DeepgramSocket(url, LINEAR);
    await socket.say(sentence());
    const { metadata } = await socket.next('Results');
    socket.socket.close();
    await socket.closed;
    await expect
      .poll(async () => (await sessionsOf(metadata.request_id))[0], { timeout: 30_000 })
      .toMatchObject({ state: 'DONE', receipt: { endedBy: 'client' } });
  });

  it.each([
    ['encoding=linear16', 'sample_rate'],
    ['encoding=opus&sample_rate=48000', 'encoding'],
    ['encoding=linear16&sample_rate=lots', 'sample_rate'],
    ['encoding=linear16&sample_rate=16000&channels=9', 'channels'],
    ['multichannel=true', 'channels'],
    ['model=whisper-huge', 'model'],
    ['language=tlh', 'language'],
    ['language=not%20a%20tag', 'language'],
    ['utterance_end_ms=1000', 'utterance_end_ms'],
    ['endpointing=soon', 'endpointing'],
    ['endpointing=6000', 'endpointing'],
    ['interim_results=maybe', 'interim_results'],
    ['diarize=true', 'diarize'],
    ['callback=https%3A%2F%2Fexample.com', 'callback'],
    ['extra=nothing', 'extra'],
    ['model=nova-3&model=nova-2', 'model'],
    ['speed=2', 'speed'],
    ['%ED%95%9C=1', '?'],
  ])('refuses %s before the upgrade, naming %s', async (query, name) => {
    const { status, error, requestId } = await refusal(url, query);
    expect(status).toBe(400);
    expect(error).toContain(name);
    expect(requestId).toMatch(UUID);
  });

  it('says that it wants a WebSocket', async () => {
    const response = await gateway.request('/v1/listen');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ err_code: 'BAD_REQUEST' });
  });
});

describe('who may connect', () => {
  const KEY = 'a-key-of-somebody';
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway({ env: { API_KEYS: KEY, MAX_LIVE_SESSIONS: '1' } });
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  const grant = async (body: object | null, authorization = `Token ${KEY}`) => {
    const response = await gateway.request('/v1/auth/grant', {
      method: 'POST',
      headers: { authorization },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };

  it.each<[string, (token: string) => { protocols?: string[]; headers?: Record<string, string> }]>([
    ['a key', () => ({ headers: { authorization: `Token ${KEY}` } })],
    ['a key as bearer', () => ({ headers: { authorization: `bearer ${KEY}` } })],
    ['a key of a browser', () => ({ protocols: ['token', KEY] })],
    ['a granted token', (token) => ({ headers: { authorization: `Bearer ${token}` } })],
    ['a granted token of a browser', (token) => ({ protocols: ['bearer', token] })],
  ])('one with %s', async (_name, credentials) => {
    const { body } = await grant(null);
    expect(body).toEqual({ access_token: expect.stringMatching(/^ek_/), expires_in: 30 });
    const options = credentials(body.access_token!);
    const socket = new DeepgramSocket(url, LINEAR, options);
    await socket.opened;
    expect(socket.socket.protocol).toBe(options.protocols?.[0] ?? '');
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
  });

  it.each([undefined, 'Token wrong', 'Bearer ek_forged', `Basic ${KEY}`])(
    'not one with %s',
    async (authorization) => {
      expect(await refusal(url, '', authorization ? { authorization } : {})).toMatchObject({ status: 401 });
    },
  );

  it('grants tokens for as long as is asked for, to keys only', async () => {
    expect(await grant({ ttl_seconds: 3600 })).toMatchObject({ status: 200, body: { expires_in: 3600 } });
    for (const ttl_seconds of [0, 3601, 1.5, 'soon'])
      expect(await grant({ ttl_seconds })).toMatchObject({ status: 400, body: { err_code: 'BAD_REQUEST' } });
    const { body } = await grant({});
    expect(await grant({}, `Bearer ${body.access_token}`)).toMatchObject({ status: 401 });
    expect(await grant({}, 'Token wrong')).toMatchObject({ status: 401 });
    expect(await grant({ scopes: [] })).toMatchObject({ status: 400 });
  });

  it('refuses more connections than there is room for', async () => {
    const headers = { authorization: `Token ${KEY}` };
    const socket = new DeepgramSocket(url, LINEAR, { headers });
    await socket.say(sentence());
    await socket.next('Results');
    expect(await refusal(url, 'model=nova-3', headers)).toMatchObject({ status: 503 });
    await socket.tell('CloseStream');
    await socket.closed;
  });

  it('closes where there is room for one channel of two', async () => {
    const headers = { authorization: `Token ${KEY}` };
    const socket = new DeepgramSocket(url, { ...LINEAR, channels: 2, multichannel: true }, { headers });
    expect(await socket.closed).toEqual({ code: 1013, reason: expect.stringMatching(/^OVERLOADED: /) });
    // The channel that was open makes room again.
    const live = async () =>
      /^earshot_live_sessions (\d+)$/m.exec(await (await gateway.request('/metrics')).text())![1];
    await expect.poll(live, { timeout: 30_000 }).toBe('0');
    const next = new DeepgramSocket(url, LINEAR, { headers });
    await next.tell('CloseStream');
    expect((await next.closed).code).toBe(1000);
  });
});
