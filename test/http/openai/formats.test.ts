/** What OpenAI's audio endpoints answer, by the real recogniser. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGateway, type TestGateway } from '../../support/api.ts';
import { errorRate, TRANSCRIPTS } from '../../support/speech.ts';
import { type Fields, formOf, framesOf, post, speech } from './support.ts';

const CLIP = 'austen-0880.wav';
const SAID = TRANSCRIPTS[CLIP]!.text;

interface Verbose {
  task: string;
  language: string;
  duration: number;
  text: string;
  words?: { word: string; start: number; end: number }[];
  segments?: Record<string, number | string | number[]>[];
  usage: { type: string; seconds: number };
}

describe('a transcription', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway();
  });
  afterAll(() => gateway.close());

  const ask = async (fields: Fields, file?: File): Promise<{ type: string | null; text: string }> => {
    const response = await post(gateway, 'transcriptions', formOf({ model: 'whisper-1', ...fields }, file));
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return { type: response.headers.get('content-type'), text };
  };
  const verbose = async (fields: Fields, file?: File): Promise<Verbose> =>
    JSON.parse((await ask({ response_format: 'verbose_json', ...fields }, file)).text) as Verbose;

  it('is JSON with the text and what it counts for where nothing else is asked', async () => {
    const { type, text } = await ask({});
    expect(type).toMatch(/^application\/json/);
    const answer = JSON.parse(text) as Verbose;
    expect(Object.keys(answer)).toEqual(['text', 'usage']);
    expect(errorRate(answer.text, SAID)).toBeLessThanOrEqual(0.12);
    expect(answer.usage).toEqual({ type: 'duration', seconds: expect.closeTo(3, 0) });
  });

  it('is one line of plain text', async () => {
    const { type, text } = await ask({ response_format: 'text' });
    expect(type).toMatch(/^text\/plain/);
    expect(text).toMatch(/^[^\n]+\n$/);
    expect(errorRate(text, SAID)).toBeLessThanOrEqual(0.12);
  });

  it('has a cue for each utterance in SubRip and WebVTT', async () => {
    const srt = await ask({ response_format: 'srt' });
    expect(srt.text).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\S/);
    const vtt = await ask({ response_format: 'vtt' });
    expect(vtt.type).toMatch(/^text\/vtt/);
    expect(vtt.text).toMatch(/^WEBVTT\n\n00:00:0\d\.\d{3} --> 00:00:0\d\.\d{3}\n\S/);
  });

  it('tells segments, and no words unless asked, in verbose_json', async () => {
    const answer = await verbose({});
    expect(answer).toMatchObject({ task: 'transcribe', language: 'english' });
    expect(answer.usage.seconds).toBe(answer.duration);
    expect(answer.words).toBeUndefined();
    expect(answer.segments!.map(({ text }) => text).join('')).toBe(answer.text);
    for (const [id, segment] of answer.segments!.entries()) {
      expect(segment).toMatchObject({ id, tokens: [], temperature: 0, no_speech_prob: 0 });
      expect(segment.end).toBeLessThanOrEqual(answer.duration);
      expect(segment.seek).toBe(Math.round((segment.start as number) * 100));
      expect(segment.avg_logprob).toBeLessThan(0);
      expect(segment.avg_logprob).toBeGreaterThan(-1);
      expect(segment.compression_ratio).toBeGreaterThan(0.5);
    }
  });

  it.each(['timestamp_granularities[]', 'timestamp_granularities'])(
    'tells the times of words by %s',
    async (name) => {
      const both = await verbose({ [name]: ['word', 'segment'] });
      expect(both.segments).not.toHaveLength(0);
      const { words, segments, text } = await verbose({ [name]: 'word' });
      expect(segments).toBeUndefined();
      expect(words!.length).toBeGreaterThan(5);
      expect(words!.map(({ word }) => word).join(' ')).toBe(text);
      for (const { start, end } of words!) expect(end).toBeGreaterThanOrEqual(start);
    },
  );

  it('takes the language, and what is to be expected, from the client', async () => {
    const answer = await verbose({
      language: 'en',
      prompt: 'Elinor.',
      'keywords[]': ['Marianne', 'Norland'],
    });
    expect(answer.language).toBe('english');
    const [session] = await gateway.store.sessions
      .list('local', { state: null, cursor: null, limit: 1 })
      .then(({ items }) => items);
    expect(session!.record).toMatchObject({
      source: 'recording',
      options: { language: 'en', prompt: 'Elinor. Marianne, Norland', task: 'transcribe', words: false },
    });
  });

  it('ends an utterance after as much silence as chunking_strategy says', async () => {
    for (const chunking of [
      { 'chunking_strategy[type]': 'server_vad', 'chunking_strategy[silence_duration_ms]': '900' },
      { chunking_strategy: '{"type":"server_vad","silence_duration_ms":900}' },
    ]) {
      await ask(chunking);
      const { items } = await gateway.store.sessions.list('local', { state: null, cursor: null, limit: 1 });
      expect(items[0]!.record.options.endpointing).toEqual({ silenceMs: 900, maxUtteranceMs: 20_000 });
    }
  });

  it('is a session like any other', async () => {
    const { text } = await ask({});
    const { items } = (await (await gateway.request('/v1/sessions?limit=1')).json()) as {
      items: { id: string; state: string; source: string; text: string; model: string }[];
    };
    expect(items[0]).toMatchObject({ state: 'DONE', source: 'recording', model: 'whisper-base' });
    expect(items[0]!.text).toBe((JSON.parse(text) as Verbose).text);
    const events = await (await gateway.request(`/v1/sessions/${items[0]!.id}/events`)).text();
    expect(events).toContain('event: transcript.final');
  });

  it('comes in pieces that make the whole', async () => {
    const { type, text } = await ask({ stream: 'true' });
    expect(type).toMatch(/^text\/event-stream/);
    expect(text).not.toMatch(/^(retry|event|id):/m);
    const frames = framesOf(text);
    expect(frames.at(-1)).toBe('[DONE]');
    const events = frames.slice(0, -1).map((frame) => JSON.parse(frame) as Record<string, unknown>);
    const done = events.at(-1)!;
    expect(done).toMatchObject({ type: 'transcript.text.done', usage: { type: 'duration' } });
    const deltas = events.slice(0, -1);
    expect(deltas.length).toBeGreaterThan(0);
    expect(new Set(deltas.map((event) => event.type))).toEqual(new Set(['transcript.text.delta']));
    expect(deltas.map(({ delta }) => delta).join('')).toBe(done.text);
    expect(errorRate(String(done.text), SAID)).toBeLessThanOrEqual(0.12);
  });

  it('may take longer than a connection may be idle', async () => {
    const limits: number[] = [];
    const socket = { setTimeout: (ms: number) => limits.push(ms) };
    const init = { method: 'POST', body: formOf({ model: 'whisper-1' }) };
    const url = 'http://127.0.0.1/v1/audio/transcriptions';
    const response = await gateway.gateway.api.request(url, init, { incoming: { socket } });
    expect(response.status).toBe(200);
    expect(limits).toEqual([0]);
  });

  it('is made once for a key, however it is asked for', async () => {
    const count = async () => {
      const { items } = await gateway.store.sessions.list('local', { state: null, cursor: null, limit: 100 });
      return items.length;
    };
    const before = await count();
    const fields = { model: 'whisper-1' };
    const key = { 'idempotency-key': 'the-same' };
    const asked = await Promise.all(
      [fields, { ...fields, response_format: 'text' }, { ...fields, stream: 'true' }].map(async (given) => {
        const response = await post(gateway, 'transcriptions', formOf(given), key);
        expect(response.status).toBe(200);
        return await response.text();
      }),
    );
    expect(await count()).toBe(before + 1);
    const { text } = JSON.parse(asked[0]!) as Verbose;
    expect(asked[1]).toBe(`${text}\n`);
    expect(asked[2]).toContain(JSON.stringify(text));
    const other = await post(gateway, 'transcriptions', formOf({ ...fields, language: 'en' }), key);
    expect(other.status).toBe(409);
    expect(other.headers.get('x-should-retry')).toBe('false');
  });

  it('is put into English', async () => {
    const fields = { model: 'whisper-1', response_format: 'verbose_json' };
    const response = await post(gateway, 'translations', formOf(fields, speech('fr-only-participant.wav')));
    const answer = (await response.json()) as Verbose;
    expect(answer).toMatchObject({ task: 'translate', language: 'english' });
    expect(answer.text).toMatch(/\bonly participant\b.*\bconference\b/);
    const { items } = await gateway.store.sessions.list('local', { state: null, cursor: null, limit: 1 });
    expect(items[0]!.events).toContainEqual(
      expect.objectContaining({ type: 'transcript.final', language: 'fr', text: answer.text }),
    );
  });
});
