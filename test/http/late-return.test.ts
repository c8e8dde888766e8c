/** Clients that lost their connection after their last word, and come back to hear how it ended. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Recognition } from '../../src/whisper/recognition.ts';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { TestSocket } from '../support/socket.ts';
import { pcmOf, silence } from '../support/speech.ts';

const speech = Buffer.concat([silence(300), pcmOf('austen-0880.wav'), silence(300)]);
const HEARD: Recognition = {
  text: 'Heard.',
  language: 'en',
  confidence: 0.9,
  words: null,
  tokens: [],
  suppressed: null,
};

let gateway: TestGateway;
let url: string;
/** Lets the recogniser answer. */
let answer: () => void;
beforeEach(async () => {
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const recognise = () => answered.then(() => HEARD);
  gateway = await openGateway({ recogniser: { ...deaf, recognise } });
  url = await gateway.listen();
});
afterEach(() => gateway.close());

async function create(): Promise<{ id: string; address: string }> {
  const body = JSON.stringify({ partials: false, language: 'en' });
  const response = await fetch(`${url}/v1/sessions`, { method: 'POST', body });
  const { id } = (await response.json()) as { id: string };
  return { id, address: `${url}/v1/sessions/${id}/stream` };
}

/** Says everything there is to say, and is gone before anything comes of it. */
async function speakAndLeave(address: string): Promise<void> {
  const socket = new TestSocket(address);
  await socket.sendAudio(speech);
  socket.send({ type: 'audio.end' });
  socket.socket.close();
  await socket.closed;
}

describe('a client that comes back after its last word', () => {
  it('is told the end where that is still being worked on', async () => {
    const { id, address } = await create();
    await speakAndLeave(address);
    const socket = new TestSocket(`${address}?after=0`);
    expect(await socket.next('session.ready')).toMatchObject({
      resumed: true,
      resumeFromSample: speech.length / 2,
    });
    socket.send({ type: 'audio.end' });
    answer();
    expect(await socket.closed).toEqual({ code: 1000 });
    expect(socket.messages.filter((message) => 'seq' in message)).toEqual(
      await gateway.store.log.read(id, 0, 9),
    );
    expect(socket.all('session.done')[0]!.receipt).toMatchObject({ finals: 1, endedBy: 'client' });
  });

  it('is told the end where that is past, then that it is', async () => {
    const { id, address } = await create();
    answer();
    await speakAndLeave(address);
    const events = await (await fetch(`${url}/v1/sessions/${id}/events`)).text();
    expect(events).toContain('event: session.done');
    const socket = new TestSocket(`${address}?after=1`);
    expect(await socket.closed).toEqual({ code: 4410 });
    expect(socket.messages.map(({ type }) => type)).toEqual(['transcript.final', 'session.done', 'error']);
  });

  it('gives its place to a newer connection of its own', async () => {
    const { address } = await create();
    await speakAndLeave(address);
    const first = new TestSocket(address);
    await first.next('session.ready');
    const second = new TestSocket(address);
    expect(await first.closed).toEqual({ code: 4409 });
    await second.next('session.ready');
    answer();
    expect(await second.closed).toEqual({ code: 1000 });
  });

  it('is sent elsewhere by a node that goes down meanwhile, not away', async () => {
    const { address } = await create();
    const first = new TestSocket(address);
    await first.sendAudio(speech);
    await first.next('speech.started');
    const closing = gateway.gateway.close();
    const second = new TestSocket(`${address}?after=0`);
    expect(await second.next('error')).toMatchObject({ code: 'shutting_down' });
    expect(await second.closed).toEqual({ code: 1012 });
    answer();
    await closing;
    expect(await first.closed).toEqual({ code: 1012 });
  });
});
