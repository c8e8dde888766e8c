/**
 * The whole path in a process of its own: speech in, words, then a language model's tokens, followed over SSE,
 * kept through `kill -9` and a restart; the same on either database.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { receiptSchema } from '../../src/http/schemas.ts';
import { databases, freshPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { type Message, TestSocket } from '../support/socket.ts';
import { errorRate, pcmOf, silence, TRANSCRIPTS } from '../support/speech.ts';

const ENGLISH = ['austen-0880.wav', 'austen-0920.wav'] as const;

/** Reads a stream of events to its end. */
async function readEvents(url: string): Promise<Message[]> {
  const text = await (await fetch(url)).text();
  return [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!));
}

const durable = (events: readonly Message[]) => events.filter((event) => 'seq' in event);

describe.each(databases())('the main path, on $name', ({ name }) => {
  let gateway: RunningGateway;
  let database: { url: string; drop(): Promise<void> } | null = null;
  const env: Record<string, string> = { STT_WORKERS: '1' };

  beforeAll(async () => {
    if (name === 'postgres') {
      database = await freshPostgres();
      env.DATABASE_URL = database.url;
    }
    gateway = await startGateway({ env });
  });
  afterAll(async () => {
    await gateway.stop();
    await database?.drop();
  });

  const get = async (path: string) => (await (await fetch(gateway.url + path)).json()) as Message;

  it('hears, tells, answers, keeps, and reads the same after kill -9', { timeout: 120_000 }, async () => {
    const options = {
      llm: { instructions: 'Summarise in one sentence.', trigger: 'sessionEnd', maxTokens: 24 },
    };
    const created = await fetch(`${gateway.url}/v1/sessions`, {
      method: 'POST',
      body: JSON.stringify(options),
    });
    const { id, stream } = (await created.json()) as { id: string; stream: { url: string; token: string } };
    const following = readEvents(`${gateway.url}/v1/sessions/${id}/events`);

    const socket = new TestSocket(`${stream.url}?token=${stream.token}`);
    for (const clip of ENGLISH) await socket.sendAudio(Buffer.concat([pcmOf(clip), silence(900)]));
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });

    const finals = socket.all('transcript.final');
    expect(finals.every(({ language }) => language === 'en')).toBe(true);
    const heard = finals.map(({ text }) => text).join(' ');
    const said = ENGLISH.map((clip) => TRANSCRIPTS[clip]!.text).join(' ');
    expect(errorRate(heard, said)).toBeLessThanOrEqual(0.08);

    const tokens = socket.all('llm.token');
    expect(tokens.length).toBeGreaterThanOrEqual(2);
    const [answered] = socket.all('llm.done');
    expect(tokens.map(({ delta }) => delta).join('')).toBe(answered!.text);
    const { receipt } = socket.all('session.done')[0]!;
    expect(receiptSchema.parse(receipt)).toMatchObject({ finals: finals.length, endedBy: 'client' });

    // The socket, the stream of events and a later reading of the log tell the same, without a hole.
    const sent = durable(socket.messages);
    expect(sent.map(({ seq }) => seq)).toEqual(sent.map((_, at) => at + 1));
    expect(durable(await following)).toEqual(sent);
    const before = {
      session: await get(`/v1/sessions/${id}`),
      events: await readEvents(`${gateway.url}/v1/sessions/${id}/events`),
    };
    expect(before.events).toEqual(sent);
    expect(before.session).toMatchObject({
      state: 'DONE',
      language: 'en',
      text: heard,
      receipt,
      llm: { state: 'done' },
    });

    await gateway.kill();
    gateway = await startGateway({ env, dataDir: gateway.dataDir });
    expect(await get(`/v1/sessions/${id}`)).toEqual(before.session);
    expect(await readEvents(`${gateway.url}/v1/sessions/${id}/events`)).toEqual(before.events);
  });

  it('keeps every final already told when it is killed in the middle, and goes on after a restart', async () => {
    const created = await fetch(`${gateway.url}/v1/sessions`, { method: 'POST', body: '{}' });
    const { id, stream } = (await created.json()) as { id: string; stream: { url: string; token: string } };
    const audio = Buffer.concat([
      pcmOf('austen-0880.wav'),
      silence(900),
      pcmOf('austen-0920.wav'),
      silence(900),
    ]);
    const first = new TestSocket(stream.url);
    await first.sendAudio(audio.subarray(0, audio.length / 2));
    const told = await first.next('transcript.final');
    await gateway.kill();
    await first.closed;

    gateway = await startGateway({ env, dataDir: gateway.dataDir });
    const kept = await get(`/v1/sessions/${id}`);
    expect(kept).toMatchObject({
      state: 'IN_PROGRESS',
      utterances: [{ id: told.utteranceId, text: told.text }],
    });

    // The claim of the process that died runs out first; until then the session is said to be in use.
    const second = await reconnect(`${gateway.url}/v1/sessions/${id}/stream`);
    const ready = await second.next('session.ready');
    expect(ready).toMatchObject({ resumed: true, resumeFromSample: told.endMs * 16 });
    await second.sendAudio(audio.subarray(ready.resumeFromSample * 2));
    second.send({ type: 'audio.end' });
    expect(await second.closed).toEqual({ code: 1000 });
    const { utterances, receipt } = await get(`/v1/sessions/${id}`);
    expect(
      utterances.map(
        (utterance: Message) => errorRate(utterance.text, TRANSCRIPTS['austen-0880.wav']!.text) < 0.2,
      ),
    ).toEqual([true, false]);
    expect(errorRate(utterances[1].text, TRANSCRIPTS['austen-0920.wav']!.text)).toBeLessThanOrEqual(0.12);
    expect(receipt.receivedMs).toBe(audio.length / 32);
  }, 90_000);

  it('transcribes a recording in the background, and takes it up again after kill -9', async () => {
    const form = new FormData();
    const clips = Array.from({ length: 6 }, () => Buffer.concat([pcmOf('austen-0880.wav'), silence(700)]));
    form.set(
      'options',
      JSON.stringify({ language: 'en', audio: { encoding: 'pcm_s16le', sampleRateHz: 16000 } }),
    );
    form.set('file', new Blob([Buffer.concat(clips)]), 'six.raw');
    const created = await fetch(`${gateway.url}/v1/sessions`, { method: 'POST', body: form });
    expect(created.status).toBe(202);
    const { id, state } = (await created.json()) as { id: string; state: string };
    expect(state).toBe('PENDING');
    expect(created.headers.get('location')).toBe(`/v1/sessions/${id}`);
    while ((await get(`/v1/sessions/${id}`)).utterances.length === 0)
      await new Promise((done) => setTimeout(done, 20));
    await gateway.kill();
    gateway = await startGateway({ env, dataDir: gateway.dataDir });
    const events = await readEvents(`${gateway.url}/v1/sessions/${id}/events`);
    const session = await get(`/v1/sessions/${id}`);
    expect(session).toMatchObject({ state: 'DONE', source: 'recording', error: null });
    expect(session.utterances.length).toBe(6);
    expect(
      errorRate(session.text, Array(6).fill(TRANSCRIPTS['austen-0880.wav']!.text).join(' ')),
    ).toBeLessThanOrEqual(0.1);
    expect(durable(events).map(({ seq }) => seq)).toEqual(durable(events).map((_, at) => at + 1));
  }, 90_000);

  async function reconnect(url: string): Promise<TestSocket> {
    for (;;) {
      const socket = new TestSocket(url);
      const first = await Promise.race([socket.next('session.ready'), socket.next('error')]);
      if (first.type === 'session.ready') return socket;
      expect(first).toMatchObject({ code: 'conflict' });
      await socket.closed;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
});
