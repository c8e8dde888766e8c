/** Recordings that the gateway fetches by itself, from a server that is really there. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openGateway, type TestGateway } from '../support/api.ts';
import type { Message } from '../support/socket.ts';
import { errorRate, fixture, TRANSCRIPTS } from '../support/speech.ts';

const CLIP = 'austen-0880.wav';

describe('a recording by URL', () => {
  let gateway: TestGateway;
  let server: Server;
  let origin: string;
  let failures = 0;
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url!);
      if (request.url === '/moved') return void response.writeHead(302, { location: '/clip.wav' }).end();
      if (request.url === '/away')
        return void response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
      if (request.url === '/moody' && failures-- > 0) return void response.writeHead(503).end();
      if (request.url === '/none') return void response.writeHead(404).end();
      response.end(readFileSync(fixture(CLIP)));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    gateway = await openGateway({ env: { WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' } });
  });
  afterAll(async () => {
    await gateway.close();
    server.close();
  });

  const post = async (body: object) => {
    const response = await gateway.request('/v1/sessions', { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Message };
  };
  const ended = (id: string): Promise<Message> =>
    vi.waitFor(
      async () => {
        const session = (await (await gateway.request(`/v1/sessions/${id}`)).json()) as Message;
        expect(['DONE', 'FAILED']).toContain(session.state);
        return session;
      },
      { timeout: 30_000, interval: 100 },
    );

  it.each(['/clip.wav', '/moved', '/moody'])('is fetched and transcribed: %s', async (path) => {
    failures = 1;
    const { status, body } = await post({ audioUrl: origin + path, language: 'en' });
    expect(status).toBe(202);
    expect(body).toMatchObject({ state: 'PENDING', source: 'recording' });
    const session = await ended(body.id);
    expect(session.error).toBeNull();
    expect(errorRate(session.text, TRANSCRIPTS[CLIP]!.text)).toBeLessThanOrEqual(0.25);
  });

  it.each([
    ['/none', 'audio_unreachable'],
    ['/away', 'address_not_allowed'],
  ])('fails where it never will be there: %s', async (path, code) => {
    const { body } = await post({ audioUrl: origin + path });
    expect(await ended(body.id)).toMatchObject({ state: 'FAILED', error: { code } });
  });

  it.each([
    [{ audioUrl: 'https://10.0.0.1/a.wav' }, 'address_not_allowed'],
    [{ audioUrl: 'file:///etc/passwd' }, 'address_not_allowed'],
    [{ audioUrl: 7 }, 'bad_request'],
    [{ audioUrl: 'https://a.example/a.wav', other: 1 }, 'unsupported_option'],
  ])('is refused at once: %j', async (given, code) => {
    expect(await post(given)).toMatchObject({ status: 400, body: { code } });
  });

  it('is fetched once where it is asked for twice with one key', async () => {
    const before = asked.length;
    const once = () =>
      gateway.request('/v1/sessions', {
        method: 'POST',
        headers: { 'idempotency-key': 'one' },
        body: JSON.stringify({ audioUrl: `${origin}/clip.wav` }),
      });
    const [first, second] = (await Promise.all(
      [once(), once()].map(async (sent) => (await sent).json()),
    )) as Message[];
    expect(second!.id).toBe(first!.id);
    await ended(first!.id);
    expect(asked.slice(before)).toEqual(['/clip.wav']);
  });
});
