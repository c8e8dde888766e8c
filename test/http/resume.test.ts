/** Connections that are lost or replaced, over real sockets: the session goes on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGateway, type TestGateway } from '../support/api.ts';
import { type Message, TestSocket } from '../support/socket.ts';
import { errorRate, pcmOf, silence, TRANSCRIPTS } from '../support/speech.ts';

const SAID = TRANSCRIPTS['austen-0880.wav']!.text;
const speech = Buffer.concat([silence(300), pcmOf('austen-0880.wav'), silence(900)]);

describe('a session that loses its connection', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway();
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  const create = async (options: object = {}) => {
    const response = await fetch(`${url}/v1/sessions`, { method: 'POST', body: JSON.stringify(options) });
    return (await response.json()) as { id: string; stream: { url: string; token: string } };
  };
  const log = (id: string) => gateway.store.log.read(id, 0, 1000);

  it('goes on after a lost connection, from what was committed, and replays on demand', async () => {
    const { id, stream } = await create();
    const first = new TestSocket(stream.url);
    await first.sendAudio(speech);
    const final = await first.next('transcript.final');
    await first.sendAudio(speech.subarray(0, 32 * 1500));
    first.socket.terminate();

    const second = new TestSocket(`${stream.url}?after=1`);
    const ready = await second.next('session.ready');
    expect(ready.resumed).toBe(true);
    expect(ready.resumeFromSample).toBeGreaterThanOrEqual(final.endMs * 16);
    expect(ready.resumeFromSample).toBeLessThanOrEqual(speech.length / 2 + 16 * 1500);
    expect(await second.next('transcript.final')).toEqual(final);
    const whole = Buffer.concat([speech, speech]);
    await second.sendAudio(whole.subarray(ready.resumeFromSample * 2));
    second.send({ type: 'audio.end' });
    expect(await second.closed).toEqual({ code: 1000 });
    const finals = (await log(id)).filter(({ type }) => type === 'transcript.final') as unknown as Message[];
    expect(finals.length).toBe(2);
    // Two of its eight words, at most: where speech is cut in two is not the same each time.
    for (const { text } of finals) expect(errorRate(text, SAID)).toBeLessThanOrEqual(0.25);
    expect(second.all('session.done')[0]!.receipt.receivedMs).toBe(whole.length / 32);
  });

  it('lets the last of several that come back at once go on from where the first got to', async () => {
    const { stream } = await create();
    const first = new TestSocket(stream.url);
    await first.sendAudio(speech);
    const final = await first.next('transcript.final');
    const all = [1, 2, 3].map(() => new TestSocket(stream.url));
    const ready = await Promise.all(
      all.map((socket) => socket.next('session.ready').catch((error: Error) => error)),
    );
    for (const one of ready)
      if (!(one instanceof Error)) expect(one.resumeFromSample).toBeGreaterThanOrEqual(final.endMs * 16);
    expect(ready.filter((one) => !(one instanceof Error)).length).toBeGreaterThan(0);
    for (const socket of all) socket.socket.terminate();
  });

  it('closes the connection it replaces', async () => {
    const { stream } = await create();
    const first = new TestSocket(stream.url);
    await first.sendAudio(silence(100));
    const second = new TestSocket(stream.url);
    expect(await first.next('error')).toMatchObject({ code: 'replaced', fatal: true });
    expect(await first.closed).toEqual({ code: 4409 });
    await second.next('session.ready');
    second.send({ type: 'audio.end' });
    expect(await second.closed).toEqual({ code: 1000 });
  });
});
