/** Nodes that do different things: one takes in, another works. */

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { errorRate, fixture, TRANSCRIPTS } from '../support/speech.ts';

const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const CLIP = 'austen-0920.wav';

describe.skipIf(!hasPostgres)('nodes with roles', () => {
  let database: { url: string; drop(): Promise<void> };
  let gateway: RunningGateway;
  let worker: RunningGateway;
  let receiver: Server;
  const received: string[] = [];

  beforeAll(async () => {
    database = await freshPostgres();
    receiver = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      received.push(body);
      response.writeHead(204).end();
    }).listen(0, '127.0.0.1');
    const env = {
      STT_WORKERS: '1',
      LLM: 'off',
      DATABASE_URL: database.url,
      WEBHOOK_SECRET: SECRET,
      WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
    };
    gateway = await startGateway({ env: { ...env, ROLES: 'gateway' } });
    worker = await startGateway({ env: { ...env, ROLES: 'worker' } });
  });
  afterAll(async () => {
    await Promise.all([gateway.stop(), worker.stop()]);
    receiver.close();
    await database.drop();
  });

  it('hand over: what one takes in, the other transcribes and delivers', async () => {
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const form = new FormData();
    form.set('options', JSON.stringify({ language: 'en', webhook: { url } }));
    form.set('file', new Blob([readFileSync(fixture(CLIP))]), CLIP);
    const created = await fetch(`${gateway.url}/v1/sessions`, { method: 'POST', body: form });
    const { id } = (await created.json()) as { id: string };
    const session = await vi.waitFor(
      async () => {
        const now = (await (await fetch(`${gateway.url}/v1/sessions/${id}`)).json()) as {
          state: string;
          text: string;
        };
        expect(now.state).toBe('SENT');
        return now;
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(errorRate(session.text, TRANSCRIPTS[CLIP]!.text)).toBeLessThanOrEqual(0.1);
    expect(JSON.parse(received[0]!).data.id).toBe(id);
  });

  it('serve clients where they are gateways, and themselves only where they are not', async () => {
    expect((await fetch(`${worker.url}/ready`)).status).toBe(200);
    const refused = await fetch(`${worker.url}/v1/sessions`, { method: 'POST', body: '{}' });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('ROLES=worker') });
    expect((await fetch(`${gateway.url}/v1/sessions`, { method: 'POST', body: '{}' })).status).toBe(201);
  });
});
