import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DurableDraft } from '../../src/domain/event.ts';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { databases } from '../support/databases.ts';

const STARTED: DurableDraft = {
  type: 'session.started',
  audio: { encoding: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 },
  language: 'auto',
  model: 'whisper-base',
};
const final = (n: number): DurableDraft => ({
  type: 'transcript.final',
  utteranceId: `utt_${n}`,
  startMs: n * 1000,
  endMs: n * 1000 + 500,
  text: `Number ${n}.`,
  language: 'en',
  confidence: 0.9,
});
const DONE: DurableDraft = {
  type: 'session.done',
  receipt: {
    receivedMs: 9000,
    transcribedMs: 1500,
    silenceMs: 7500,
    suppressedMs: 0,
    finals: 3,
    lastSeq: 0,
    endedBy: 'client',
  },
};

interface Frame {
  readonly id: string | null;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape.
  readonly data: any;
}

/** Reads a stream until `enough` says so, or to its end; comments and retry lines are kept apart. */
async function readFrames(
  response: Response,
  enough: (frames: Frame[]) => boolean = () => false,
): Promise<Frame[]> {
  const frames: Frame[] = [];
  let text = '';
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  while (!enough(frames)) {
    const { value, done } = await reader.read();
    if (done) return frames;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null;
      if (field('event'))
        frames.push({ id: field('id'), event: field('event')!, data: JSON.parse(field('data')!) });
    }
  }
  await reader.cancel();
  return frames;
}

describe.each(databases())('server-sent events, on $name', (database) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ database, recogniser: deaf });
  });
  afterAll(() => gateway.close());

  const create = async (): Promise<string> =>
    ((await (await gateway.request('/v1/sessions', { method: 'POST' })).json()) as { id: string }).id;
  const follow = (id: string, after = '', headers = {}) =>
    gateway.request(`/v1/sessions/${id}/events${after && `?after=${after}`}`, { headers });

  it('replay a finished session from the start and end after it', async () => {
    const id = await create();
    const stored = await gateway.store.log.append(id, [STARTED, final(1), final(2), DONE]);
    const response = await follow(id);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    const frames = await readFrames(response);
    expect(frames.map(({ data }) => data)).toEqual(stored);
    expect(frames.map(({ id: seq }) => seq)).toEqual(['1', '2', '3', '4']);
    expect(frames.map(({ event }) => event)).toEqual(stored.map(({ type }) => type));
    expect(stored.at(-1)).toMatchObject({ receipt: { lastSeq: 4 } });
  });

  it('go on after a cursor, from the header or the query', async () => {
    const id = await create();
    await gateway.store.log.append(id, [STARTED, final(1), final(2), DONE]);
    expect((await readFrames(await follow(id, '2'))).map(({ id: seq }) => seq)).toEqual(['3', '4']);
    const resumed = await follow(id, '', { 'last-event-id': '3' });
    expect((await readFrames(resumed)).map(({ id: seq }) => seq)).toEqual(['4']);
    expect(await readFrames(await follow(id, '4'))).toEqual([]);
  });

  it('feed a backend the durable events of all sessions, from now on or from the oldest', async () => {
    const from = await gateway.request('/v1/feed');
    const ids = [await create(), await create()];
    for (const id of ids) await gateway.store.log.append(id, [STARTED]);
    const frames = await readFrames(from, (seen) => seen.length >= 2);
    expect(frames.map(({ data }) => data.sessionId)).toEqual(ids);

    const again = await gateway.request(`/v1/feed?after=${encodeURIComponent(frames[0]!.id!)}`);
    expect((await readFrames(again, (seen) => seen.length >= 1))[0]!.data.sessionId).toBe(ids[1]);
    const oldest = await gateway.request('/v1/feed?after=0');
    expect((await readFrames(oldest, (seen) => seen.length >= 1))[0]!.data.seq).toBe(1);
  });

  it('tell a reader of the feed that its cursor leads nowhere', async () => {
    const [frame] = await readFrames(await gateway.request('/v1/feed?after=nonsense'));
    expect(frame).toMatchObject({ event: 'reset', data: { type: 'reset' } });
  });
});
