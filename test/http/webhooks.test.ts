/** Delivery by webhook, from the session's end to a receiver that is really there, on both databases. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { databases } from '../support/databases.ts';
import type { Message } from '../support/socket.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const EARLIER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const OPEN = { WEBHOOK_SECRET: `${SECRET}, ${EARLIER}`, WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' };

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

describe.each(databases())('a webhook, on $name', (database) => {
  let gateway: TestGateway;
  let receiver: Server;
  let url: string;
  let received: Received[] = [];
  let answers: number[] = [];

  beforeAll(async () => {
    receiver = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      received.push({
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString(),
      });
      response.writeHead(answers.shift() ?? 204).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => receiver.once('listening', resolve));
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    gateway = await openGateway({ database, recogniser: deaf, env: OPEN });
  });
  afterEach(() => {
    [received, answers] = [[], []];
  });
  afterAll(async () => {
    await gateway.close();
    receiver.close();
  });

  const get = async (path: string) => (await (await gateway.request(path)).json()) as Message;
  const post = async (path: string, body?: object) => {
    const response = await gateway.request(path, {
      method: 'POST',
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Message };
  };
  /** A recording without a word in it: done as soon as it is begun. */
  const submit = async (seconds = 1): Promise<string> => {
    const form = new FormData();
    form.set('options', JSON.stringify({ audio: { encoding: 'pcm_s16le' }, webhook: { url } }));
    form.set('file', new Blob([new Uint8Array(32_000 * seconds)]), 'silence.raw');
    const response = await gateway.request('/v1/sessions', { method: 'POST', body: form });
    expect(response.status).toBe(202);
    return ((await response.json()) as { id: string }).id;
  };
  const until = (id: string, expected: object) =>
    vi.waitFor(async () => expect(await get(`/v1/sessions/${id}`)).toMatchObject(expected), {
      timeout: 15_000,
      interval: 50,
    });

  it('brings the session, signed, and makes it SENT', async () => {
    const id = await submit();
    await until(id, { state: 'SENT', webhook: { state: 'sent', attempts: 1, lastStatus: 204 } });
    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [Received];
    for (const secret of [SECRET, EARLIER])
      expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
    expect(headers['webhook-id']).toBe(`msg_${id.slice(4)}`);
    const { type, timestamp, data } = JSON.parse(body);
    const session = await get(`/v1/sessions/${id}`);
    expect({ type, timestamp }).toEqual({ type: 'session.done', timestamp: session.finishedAt });
    expect(data).toEqual({
      ...session,
      state: 'DONE',
      webhook: { state: 'pending', attempts: 0, lastStatus: null, nextAttemptAt: null },
    });
    const events = await (await gateway.request(`/v1/sessions/${id}/events`)).text();
    expect(events).toMatch(/event: session\.sent\ndata: .*"attempts":1/);
  });

  it('is sent again, the same, where it was not taken', async () => {
    answers = [500];
    const id = await submit();
    await until(id, { state: 'DONE', webhook: { state: 'pending', attempts: 1, lastStatus: 500 } });
    const { webhook } = await get(`/v1/sessions/${id}`);
    expect(Date.parse(webhook.nextAttemptAt)).toBeGreaterThan(Date.now());
    expect((await post(`/v1/sessions/${id}/redeliver`)).status).toBe(202);
    await until(id, { state: 'SENT', webhook: { attempts: 2, lastStatus: 204 } });
    expect(received).toHaveLength(2);
    expect(received[1]!.body).toBe(received[0]!.body);
    expect(received[1]!.headers['webhook-id']).toBe(received[0]!.headers['webhook-id']);
    const { items } = await get(`/v1/sessions/${id}/deliveries`);
    expect(items).toMatchObject([
      { attempt: 1, status: 500 },
      { attempt: 2, status: 204 },
    ]);
    expect(JSON.stringify(items)).not.toContain('whsec_');
  });

  it('goes out once more when that is asked for', async () => {
    const id = await submit();
    await until(id, { state: 'SENT' });
    expect((await post(`/v1/sessions/${id}/redeliver`)).body).toMatchObject({ id });
    await until(id, { state: 'SENT', webhook: { attempts: 2 } });
    expect(received[1]!.body).toBe(received[0]!.body);
  });

  it('is given up where the receiver is gone, until all such are asked for', async () => {
    answers = [410];
    const since = new Date(Date.now() - 1000).toISOString();
    const id = await submit();
    await until(id, { state: 'DONE', webhook: { state: 'failed', attempts: 1, nextAttemptAt: null } });
    const later = await submit();
    await until(later, { state: 'DONE', webhook: { state: 'failed', attempts: 0 } });
    expect((await post('/v1/redeliver', { since })).body).toEqual({ count: 2 });
    for (const each of [id, later]) await until(each, { state: 'SENT' });
    expect((await post('/v1/redeliver', { since: 'yesterday' })).status).toBe(400);
  });

  it('of a session without one cannot be asked for', async () => {
    const { body } = await post('/v1/sessions', {});
    expect(await post(`/v1/sessions/${body.id}/redeliver`)).toMatchObject({
      status: 409,
      body: { code: 'not_redeliverable' },
    });
    expect((await post('/v1/sessions/ses_nobody/redeliver')).status).toBe(404);
  });

  it('goes to no address that is not allowed', async () => {
    for (const address of ['http://10.0.0.1/', 'https://169.254.169.254/', 'ftp://a.example/'])
      expect(await post('/v1/sessions', { webhook: { url: address } })).toMatchObject({
        status: 400,
        body: { code: 'address_not_allowed' },
      });
  });

  it('needs a secret to sign with', async () => {
    const unsigned = await openGateway({ recogniser: deaf });
    const response = await unsigned.request('/v1/sessions', {
      method: 'POST',
      body: JSON.stringify({ webhook: { url: 'https://hook.example/' } }),
    });
    expect(await response.json()).toMatchObject({
      code: 'unsupported_option',
      detail: expect.stringContaining('WEBHOOK_SECRET'),
    });
    await unsigned.close();
  });
});
