import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { databases } from '../support/databases.ts';

describe.each(databases())('an Idempotency-Key, on $name', (database) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ database, recogniser: deaf });
  });
  afterAll(() => gateway.close());

  const send = async (key: string, body: FormData | string) => {
    const response = await gateway.request('/v1/sessions', {
      method: 'POST',
      body,
      headers: { 'idempotency-key': key },
    });
    const given = (await response.json()) as { id: string; code?: string; stream?: { token: string } };
    return { status: response.status, ...given };
  };
  const recording = (fill: number, options: object = {}): FormData => {
    const form = new FormData();
    form.set('options', JSON.stringify({ audio: { encoding: 'pcm_s16le' }, ...options }));
    form.set('file', new Blob([new Uint8Array(3200).fill(fill)]), 'a.raw');
    return form;
  };

  it('makes one recording of a hundred uploads at once', async () => {
    const sent = await Promise.all(Array.from({ length: 100 }, () => send('upload', recording(0))));
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([202]));
    await vi.waitFor(async () => {
      const session = await (await gateway.request(`/v1/sessions/${sent[0]!.id}`)).json();
      expect(session).toMatchObject({ state: 'DONE' });
      expect(readdirSync(join(gateway.config.DATA_DIR, 'uploads'))).toEqual([]);
    }, 10_000);
    // Long after, too: with what has become of it.
    expect(await send('upload', recording(0))).toMatchObject({ id: sent[0]!.id, state: 'DONE' });
  });

  it('refuses another recording, or the same with other options', async () => {
    const first = await send('other', recording(0));
    for (const body of [recording(1), recording(0, { words: true })])
      expect(await send('other', body)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
    expect(await send('other', recording(0))).toMatchObject({ status: 202, id: first.id });
  });

  it('opens one live session, with a token for each who asks', async () => {
    const sent = await Promise.all(Array.from({ length: 20 }, () => send('live', '{"language":"en"}')));
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(new Set(sent.map(({ stream }) => stream!.token)).size).toBe(20);
    expect((await send('live', '{"language":"ko"}')).status).toBe(409);
  });

  it.each(['', ' ', 'x'.repeat(256), 'a b', 'ключ'])('may not be %j', async (key) => {
    const sending = gateway.request('/v1/sessions', {
      method: 'POST',
      body: '{}',
      headers: [['idempotency-key', key]],
    });
    // What is no header at all never leaves a client.
    const status = await Promise.resolve(sending).then(
      ({ status }) => status,
      () => 400,
    );
    expect(status).toBe(400);
  });
});
