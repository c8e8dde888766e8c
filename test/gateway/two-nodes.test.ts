/** Two gateways on one PostgreSQL: what is spoken to one is followed, read, resumed and deleted on the other. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { findNats } from '../support/nats.ts';
import { type Message, TestSocket } from '../support/socket.ts';
import { errorRate, pcmOf, silence, TRANSCRIPTS } from '../support/speech.ts';

const CLIPS = ['austen-0880.wav', 'austen-0920.wav'] as const;
const speech = Buffer.concat(CLIPS.flatMap((clip) => [pcmOf(clip), silence(900)]));
const SAID = CLIPS.map((clip) => TRANSCRIPTS[clip]!.text).join(' ');

const nats = await findNats();
if (nats === null) console.warn('No NATS answers: two nodes are not tested on it.');

const transports = [
  { name: 'PostgreSQL', settings: {} as Record<string, string> },
  ...(nats ? [{ name: 'NATS', settings: { NATS_URL: nats.url } }] : []),
];

describe.skipIf(!hasPostgres).each(transports)('two nodes that talk over $name', ({ settings }) => {
  let nodes: RunningGateway[];
  let database: { url: string; drop(): Promise<void> };

  beforeAll(async () => {
    database = await freshPostgres();
    const env = { ...settings, STT_WORKERS: '1', LLM: 'off', DATABASE_URL: database.url };
    nodes = await Promise.all([startGateway({ env }), startGateway({ env })]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });

  const create = async (node: RunningGateway, options: object = { language: 'en' }) => {
    const response = await fetch(`${node.url}/v1/sessions`, {
      method: 'POST',
      body: JSON.stringify(options),
    });
    return ((await response.json()) as { id: string }).id;
  };
  const get = async (node: RunningGateway, path: string) =>
    (await (await fetch(node.url + path)).json()) as Message;
  const readEvents = async (url: string): Promise<Message[]> => {
    const text = await (await fetch(url)).text();
    return [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!));
  };
  const durable = (events: readonly Message[]) => events.filter((event) => 'seq' in event);
  const streamOf = (node: RunningGateway, id: string) =>
    new TestSocket(`${node.url}/v1/sessions/${id}/stream`);

  it('let the one be followed on the other, hints and all', { timeout: 60_000 }, async () => {
    const [a, b] = nodes as [RunningGateway, RunningGateway];
    const id = await create(a);
    const following = readEvents(`${b.url}/v1/sessions/${id}/events`);
    const socket = streamOf(a, id);
    await socket.next('session.ready');
    // The other node has asked for the session's events by the time it is spoken to.
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${a.url}/metrics`)).text();
      expect(metrics).toMatch(/^earshot_followed_elsewhere 1$/m);
    }, 10_000);
    await socket.sendAudio(speech, 6400, 40);
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
    const followed = await following;
    expect(durable(followed)).toEqual(durable(socket.messages));
    expect(followed.some(({ type }) => type === 'transcript.partial')).toBe(true);
    const session = await get(b, `/v1/sessions/${id}`);
    expect(session.state).toBe('DONE');
    expect(errorRate(session.text, SAID)).toBeLessThanOrEqual(0.12);
  });

  it('let a client go on at the other', { timeout: 60_000 }, async () => {
    const [a, b] = nodes as [RunningGateway, RunningGateway];
    const id = await create(a);
    const first = streamOf(a, id);
    await first.sendAudio(speech.subarray(0, speech.length / 2));
    const told = await first.next('transcript.final');
    const second = streamOf(b, id);
    const ready = await second.next('session.ready');
    expect(ready).toMatchObject({ resumed: true });
    expect(ready.resumeFromSample).toBeGreaterThanOrEqual(told.endMs * 16);
    expect(await first.closed).toEqual({ code: 4409 });
    await second.sendAudio(speech.subarray(ready.resumeFromSample * 2));
    second.send({ type: 'audio.end' });
    expect(await second.closed).toEqual({ code: 1000 });
    const { text, receipt } = await get(a, `/v1/sessions/${id}`);
    expect(errorRate(text, SAID)).toBeLessThanOrEqual(0.12);
    expect(receipt.receivedMs).toBe(speech.length / 32);
  });

  it('let a session be deleted on the other', { timeout: 60_000 }, async () => {
    const [a, b] = nodes as [RunningGateway, RunningGateway];
    const id = await create(a);
    const socket = streamOf(a, id);
    await socket.sendAudio(speech.subarray(0, 32_000));
    expect((await fetch(`${b.url}/v1/sessions/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await socket.closed).toEqual({ code: 4410 });
    expect((await fetch(`${a.url}/v1/sessions/${id}`)).status).toBe(404);
  });

  it('share recordings, and one takes over where the other dies', { timeout: 120_000 }, async () => {
    const [a, b] = nodes as [RunningGateway, RunningGateway];
    const form = new FormData();
    const twenty = Buffer.concat(
      Array.from({ length: 20 }, () => [pcmOf('austen-0880.wav'), silence(700)]).flat(),
    );
    form.set('options', JSON.stringify({ language: 'en', audio: { encoding: 'pcm_s16le' } }));
    form.set('file', new Blob([twenty]), 'twenty.raw');
    const created = await fetch(`${a.url}/v1/sessions`, { method: 'POST', body: form });
    const { id } = (await created.json()) as { id: string };
    await vi.waitFor(
      async () => expect((await get(b, `/v1/sessions/${id}`)).utterances.length).toBeGreaterThan(0),
      30_000,
    );
    // Whichever works on it: the node that has the upload goes, without a word.
    await a.kill();
    const session = await vi.waitFor(
      async () => {
        const now = await get(b, `/v1/sessions/${id}`);
        expect(now.state).toBe('DONE');
        return now;
      },
      { timeout: 90_000, interval: 500 },
    );
    expect(session.utterances.length).toBe(20);
    const events = await readEvents(`${b.url}/v1/sessions/${id}/events`);
    expect(durable(events).map(({ seq }) => seq)).toEqual(durable(events).map((_, at) => at + 1));
  });
});
