/** The option `task`, wherever a session's options are given. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../../support/api.ts';
import { TestSocket } from '../../support/socket.ts';
import { silence } from '../../support/speech.ts';
import { speech } from './support.ts';

const FRENCH = 'fr-only-participant.wav';

describe('a session that is to be translated', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway();
  });
  afterAll(() => gateway.close());

  it('shows English while French is spoken', async () => {
    const url = await gateway.listen();
    const socket = new TestSocket(`${url}/v1/stream?task=translate&language=fr&audio.sampleRateHz=8000`);
    const wav = Buffer.from(await speech(FRENCH).arrayBuffer());
    await socket.sendAudio(Buffer.concat([wav.subarray(44), silence(500)]));
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
    const [final] = socket.all('transcript.final');
    expect(final).toMatchObject({
      language: 'fr',
      text: expect.stringMatching(/\bparticipant\b.*conference/),
    });
    for (const { text, stableChars } of socket.all('transcript.partial'))
      expect(final!.text.startsWith(text.slice(0, stableChars))).toBe(true);
  });

  it('may be a recording of our own interface', async () => {
    const form = new FormData();
    form.set('options', '{"task":"translate"}');
    form.set('file', speech(FRENCH));
    const response = await gateway.request('/v1/sessions', { method: 'POST', body: form });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await (await gateway.request(`/v1/sessions/${id}/events`)).text();
    const session = (await (await gateway.request(`/v1/sessions/${id}`)).json()) as object;
    expect(session).toMatchObject({
      state: 'DONE',
      language: 'fr',
      text: expect.stringMatching(/conference/),
    });
  });
});

describe('where nothing is translated', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf });
  });
  afterAll(() => gateway.close());

  it.each([
    ['translate', 400, 'unsupported_option'],
    ['sing', 400, 'bad_request'],
    ['transcribe', 201, undefined],
  ])('the task %s is answered with %i', async (task, status, code) => {
    const response = await gateway.request('/v1/sessions', {
      method: 'POST',
      body: JSON.stringify({ task }),
    });
    expect(response.status).toBe(status);
    const body = (await response.json()) as { code?: string; detail?: string };
    expect(body.code).toBe(code);
    if (code) expect(body.detail).toMatch(/^task: /);
  });
});
