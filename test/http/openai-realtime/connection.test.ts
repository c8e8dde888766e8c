/** A Realtime connection over a real socket, with real speech and the real recogniser. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openGateway, type TestGateway } from '../../support/api.ts';
import type { Message } from '../../support/socket.ts';
import { errorRate, TRANSCRIPTS } from '../../support/speech.ts';
import { COMPLETED, DELTA, FAILED, msOf, RealtimeClient, silence, speech, telephone } from './client.ts';

const FILE = 'austen-0880.wav';
const SAID = TRANSCRIPTS[FILE]!.text;
const spoken = speech(FILE);
/** Ends in the middle of what is said. */
const broken = spoken.subarray(0, 48 * 2500);

const stored = async (url: string) =>
  ((await (await fetch(`${url}/v1/sessions?limit=100`)).json()) as { items: Message[] }).items;
const newest = async (url: string) => (await stored(url))[0]!;

const unbroken = speech('austen-0870.wav', 0);

describe('a Realtime connection', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway();
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  /** What is said of an item but its deltas, in order. */
  const ofItem = (client: RealtimeClient, itemId: string) =>
    client.messages
      .filter(({ type, item_id, item }) => (item_id ?? item?.id) === itemId && type !== DELTA)
      .map(({ type }) => type);
  const WHOLE_ITEM = [
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.added',
    'conversation.item.done',
    COMPLETED,
  ];

  it('begins with the whole configuration', async () => {
    const client = new RealtimeClient(url);
    const { event_id, session } = await client.next('session.created');
    expect(client.messages[0]!.type).toBe('session.created');
    expect(event_id).toMatch(/^event_/);
    expect(session).toEqual({
      id: expect.stringMatching(/^sess_/),
      object: 'realtime.transcription_session',
      type: 'transcription',
      expires_at: expect.any(Number),
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          noise_reduction: null,
          transcription: { model: 'whisper-base', language: null, prompt: '', keywords: [] },
          turn_detection: {
            type: 'server_vad',
            threshold: 0.5,
            prefix_padding_ms: 224,
            silence_duration_ms: 500,
            idle_timeout_ms: null,
          },
        },
      },
      include: [],
    });
    client.socket.close();
    await client.closed;
  });

  it('makes an item of each utterance, and a session like any other of the whole', async () => {
    const client = new RealtimeClient(url);
    await client.append(Buffer.concat([spoken, spoken]));
    await client.next(COMPLETED, (message) => client.all(COMPLETED).indexOf(message) === 1);
    const items = client.all(COMPLETED).map(({ item_id }) => item_id as string);
    for (const item_id of items) {
      const { transcript, usage, content_index } = await client.next(
        COMPLETED,
        (one) => one.item_id === item_id,
      );
      expect(errorRate(transcript, SAID)).toBeLessThanOrEqual(0.15);
      expect(client.told(item_id)).toBe(transcript);
      expect(content_index).toBe(0);
      expect(ofItem(client, item_id)).toEqual(WHOLE_ITEM);
      const [started] = client
        .all('input_audio_buffer.speech_started')
        .filter((one) => one.item_id === item_id);
      const [stopped] = client
        .all('input_audio_buffer.speech_stopped')
        .filter((one) => one.item_id === item_id);
      // Where somebody speaks on before the transcript is there, speech is said to have stopped then.
      expect(usage.type).toBe('duration');
      expect(usage.seconds).toBeLessThanOrEqual((stopped!.audio_end_ms - started!.audio_start_ms) / 1000);
      expect(usage.seconds).toBeGreaterThan(2);
    }
    const [first, second] = client.all('input_audio_buffer.speech_started');
    expect(second!.audio_start_ms - first!.audio_start_ms).toBeCloseTo(msOf(spoken), -2);
    expect(client.all('input_audio_buffer.committed')).toMatchObject([
      { item_id: items[0], previous_item_id: null },
      { item_id: items[1], previous_item_id: items[0] },
    ]);
    expect(client.all('conversation.item.done')[1]).toMatchObject({
      previous_item_id: items[0],
      item: { id: items[1], object: 'realtime.item', type: 'message', role: 'user', status: 'completed' },
    });
    expect(new Set(client.messages.map(({ event_id }) => event_id)).size).toBe(client.messages.length);

    client.socket.close();
    await client.closed;
    await vi.waitFor(async () => {
      expect(await newest(url)).toMatchObject({
        state: 'DONE',
        metadata: { protocol: 'openai-realtime' },
        receipt: { endedBy: 'client', finals: 2, receivedMs: 2 * msOf(spoken) },
      });
    }, 20_000);
  });

  it('tells words while they are spoken, and takes none of them back', async () => {
    const client = new RealtimeClient(url);
    const item_id = await client.speakUntilTold(unbroken);
    client.commit();
    const { transcript } = await client.next(COMPLETED, (one) => one.item_id === item_id);
    expect(client.told(item_id)).toBe(transcript);
    client.socket.close();
  });

  it.each(['audio/pcmu', 'audio/pcma'] as const)('hears %s', async (type) => {
    const client = new RealtimeClient(url);
    const { session } = await client.update({ format: { type } });
    expect(session.audio.input.format).toEqual({ type });
    await client.append(telephone(FILE, type));
    const { transcript } = await client.next(COMPLETED);
    expect(errorRate(transcript, SAID)).toBeLessThanOrEqual(0.3);
    client.socket.close();
  });

  it('makes items of what is committed where turns are not detected', async () => {
    const client = new RealtimeClient(url);
    await client.update({ turn_detection: null });
    // A pause that we would end an utterance at is no end of the item.
    await client.append(Buffer.concat([spoken, spoken]));
    client.commit();
    const { transcript, item_id, usage } = await client.next(COMPLETED);
    expect(errorRate(transcript, `${SAID} ${SAID}`)).toBeLessThanOrEqual(0.15);
    expect(client.told(item_id)).toBe(transcript);
    expect(usage).toEqual({ type: 'duration', seconds: (2 * msOf(spoken)) / 1000 });
    // Silence is an item as well: its client waits for it.
    await client.append(silence(500));
    client.commit();
    const empty = await client.next(COMPLETED, (one) => one.item_id !== item_id);
    expect(empty).toMatchObject({ transcript: '', usage: { seconds: 0.5 } });
    expect(client.all('input_audio_buffer.committed')[1]).toMatchObject({
      item_id: empty.item_id,
      previous_item_id: item_id,
    });
    for (const id of [item_id, empty.item_id]) expect(ofItem(client, id)).toEqual(WHOLE_ITEM.slice(2));
    client.socket.close();
  });

  it('ends what is being said at a commit, also where turns are detected', async () => {
    const client = new RealtimeClient(url);
    await client.append(broken);
    client.commit();
    const { item_id, transcript } = await client.next(COMPLETED);
    expect(transcript).not.toBe('');
    await client.append(silence(300));
    client.commit();
    expect(await client.next(COMPLETED, (one) => one.item_id !== item_id)).toMatchObject({ transcript: '' });
    expect(client.all('input_audio_buffer.committed')).toHaveLength(2);
    client.socket.close();
  });

  it.each([
    ['detected', {}],
    ['not detected', { turn_detection: null }],
  ])('tells and stores nothing of what was cleared where turns are %s', async (_, input) => {
    const client = new RealtimeClient(url);
    await client.update(input);
    await client.append(broken);
    client.send({ type: 'input_audio_buffer.clear' });
    await client.next('input_audio_buffer.cleared');
    await client.append(spoken);
    client.commit();
    const { item_id, transcript } = await client.next(COMPLETED);
    expect(errorRate(transcript, SAID)).toBeLessThanOrEqual(0.15);
    const ended = [...client.all(COMPLETED), ...client.all(FAILED)].map((one) => one.item_id);
    for (const told of client.all(DELTA)) expect(ended).toContain(told.item_id);
    expect(client.all('input_audio_buffer.committed')[0]).toMatchObject({ item_id });
    client.socket.close();
    await client.closed;
    await vi.waitFor(async () => {
      const { receipt, text } = await newest(url);
      expect(receipt).toMatchObject({ finals: 1, receivedMs: msOf(broken) + msOf(spoken) });
      expect(errorRate(text, SAID)).toBeLessThanOrEqual(0.15);
    }, 20_000);
  });

  it('goes on in another session where the language changes, and tells all that was said before', async () => {
    const client = new RealtimeClient(url);
    await client.append(broken);
    const { session } = await client.update({ transcription: { language: 'en', prompt: 'Jane Austen' } });
    expect(session.audio.input.transcription).toEqual({
      model: 'whisper-base',
      language: 'en',
      prompt: 'Jane Austen',
      keywords: [],
    });
    const types = client.messages.map(({ type }) => type);
    expect(types.indexOf(COMPLETED)).toBeLessThan(types.indexOf('session.updated'));
    await client.append(spoken);
    await client.next(COMPLETED, (message) => client.all(COMPLETED).indexOf(message) === 1);
    const [, second] = client.all('input_audio_buffer.speech_started');
    expect(second!.audio_start_ms).toBeGreaterThanOrEqual(msOf(broken));
    expect(client.all('input_audio_buffer.committed')[1]!.previous_item_id).toBe(
      client.all('input_audio_buffer.committed')[0]!.item_id,
    );
    client.socket.close();
    await client.closed;
    await vi.waitFor(async () => {
      expect((await newest(url)).state).toBe('DONE');
    }, 20_000);
    const [after, before] = await stored(url);
    expect(before).toMatchObject({ state: 'DONE', receipt: { receivedMs: msOf(broken) } });
    expect(after).toMatchObject({ language: 'en', receipt: { receivedMs: msOf(spoken) } });
  });

  it('answers what it cannot take with an error that names its event, and goes on', async () => {
    const client = new RealtimeClient(url);
    await client.next('session.created');
    const REFUSED: [object | string, object][] = [
      ['{"type":', { code: 'bad_message', event_id: null }],
      ['[]', { code: 'bad_message', param: 'type' }],
      [
        { type: 'response.create', event_id: 'a' },
        { code: 'bad_message', param: 'type', event_id: 'a' },
      ],
      [
        { type: 'input_audio_buffer.append', audio: 'not base64', event_id: 'b' },
        { code: 'bad_message', param: 'audio', event_id: 'b' },
      ],
      [
        { type: 'input_audio_buffer.commit', event_id: 'c' },
        { code: 'input_audio_buffer_commit_empty', event_id: 'c' },
      ],
      [
        { type: 'session.update', event_id: 'd', session: { type: 'realtime' } },
        { code: 'bad_request', param: 'session.type', event_id: 'd' },
      ],
    ];
    for (const [message, error] of REFUSED) {
      const before = client.all('error').length;
      client.send(message);
      const { error: got } = await client.next('error', (one) => client.all('error').indexOf(one) === before);
      expect(got).toMatchObject({ type: 'invalid_request_error', ...error });
    }
    client.send(new Uint8Array(4));
    await client.next('error', ({ error }) => /base64, in text/.test(error.message));
    await client.append(spoken);
    await client.next(COMPLETED);
    client.socket.close();
  });

  it('takes as much audio in one message as OpenAI does', async () => {
    const client = new RealtimeClient(url);
    const large = Buffer.concat([spoken, Buffer.alloc(15 * 1024 * 1024 + 1 - spoken.length)]);
    await client.append(large, large.length);
    expect(await client.next('error')).toMatchObject({ error: { param: 'audio' } });
    await client.append(large.subarray(0, -1), large.length);
    const { transcript } = await client.next(COMPLETED);
    expect(errorRate(transcript, SAID)).toBeLessThanOrEqual(0.15);
    client.socket.terminate();
  });
});

describe('a Realtime connection within limits', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway({
      env: { IDLE_MS: '5000', MAX_SESSION_MS: '20000', MAX_LIVE_SESSIONS: '1' },
    });
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());
  // There is room for one at a time.
  beforeEach(() =>
    vi.waitFor(async () => {
      for (const { state } of await stored(url)) expect(state).toBe('DONE');
    }, 20_000),
  );

  it('outlives its session when nothing is sent for long', async () => {
    const client = new RealtimeClient(url);
    await client.append(broken);
    // The session ends by itself, and with it what was being said.
    const { item_id } = await client.next(COMPLETED);
    await vi.waitFor(async () => {
      expect((await newest(url)).receipt).toMatchObject({ endedBy: 'timeout' });
    }, 20_000);
    await client.append(spoken);
    const { transcript } = await client.next(COMPLETED, (one) => one.item_id !== item_id);
    expect(errorRate(transcript, SAID)).toBeLessThanOrEqual(0.15);
    client.socket.close();
  });

  it('closes with an error at its longest', async () => {
    const client = new RealtimeClient(url);
    await client.append(silence(21_000), 480_001);
    expect(await client.next('error')).toMatchObject({
      error: { type: 'invalid_request_error', code: 'session_too_long', event_id: null },
    });
    expect(await client.closed).toEqual({ code: 4408 });
  });

  it('closes with an error when its session is deleted', async () => {
    const client = new RealtimeClient(url);
    await client.append(silence(200));
    await vi.waitFor(async () => {
      expect((await newest(url)).state).toBe('IN_PROGRESS');
    }, 20_000);
    await fetch(`${url}/v1/sessions/${(await newest(url)).id}`, { method: 'DELETE' });
    expect(await client.next('error')).toMatchObject({ error: { code: 'session_ended' } });
    expect(await client.closed).toEqual({ code: 4410 });
  });

  it('closes with an error where there is no room', async () => {
    const first = new RealtimeClient(url);
    await first.append(silence(200));
    await vi.waitFor(async () => expect((await newest(url)).state).toBe('IN_PROGRESS'), 20_000);
    const second = new RealtimeClient(url);
    await second.append(silence(200));
    expect(await second.next('error')).toMatchObject({ error: { type: 'server_error', code: 'overloaded' } });
    expect(await second.closed).toEqual({ code: 1013 });
    first.socket.close();
    await first.closed;
  });

  it('closes with an error when the gateway does, everything said told', async () => {
    const client = new RealtimeClient(url);
    await client.update({ turn_detection: null });
    await client.append(spoken);
    client.commit();
    await client.next('input_audio_buffer.committed');
    await gateway.gateway.close();
    const { transcript } = await client.next(COMPLETED);
    expect(errorRate(transcript, SAID)).toBeLessThanOrEqual(0.15);
    expect(await client.next('error')).toMatchObject({ error: { code: 'shutting_down' } });
    expect(await client.closed).toEqual({ code: 1012 });
  });
});
