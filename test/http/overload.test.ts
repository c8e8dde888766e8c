/** What is full refuses, says when to come back, and lets go of nothing it has. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { TestSocket } from '../support/socket.ts';
import { fixture } from '../support/speech.ts';

describe('a full gateway', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway({
      recogniser: deaf,
      env: { MAX_LIVE_SESSIONS: '1', MAX_UPLOAD_BYTES: '50000' },
    });
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  it('refuses further live sessions, and takes them again when one has ended', async () => {
    const first = new TestSocket(`${url}/v1/stream`);
    await first.next('session.ready');
    const refused = await fetch(`${url}/v1/sessions`, { method: 'POST' });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(((await refused.json()) as { code: string }).code).toBe('overloaded');
    const second = new TestSocket(`${url}/v1/stream`);
    expect(await second.next('error')).toMatchObject({ code: 'overloaded', fatal: true, retryAfterMs: 5000 });
    expect(await second.closed).toEqual({ code: 1013 });

    first.send({ type: 'audio.end' });
    expect(await first.closed).toEqual({ code: 1000 });
    const third = new TestSocket(`${url}/v1/stream`);
    await third.next('session.ready');
    third.send({ type: 'audio.end' });
    await third.closed;
  });

  it('does not count a session that waits for its client, and lets that one in first', async () => {
    const first = new TestSocket(`${url}/v1/stream`);
    await first.next('session.ready');
    first.send(new Uint8Array(3200));
    await first.next('session.started');
    first.socket.terminate();
    // The gateway learns of the lost connection a moment later than we do.
    const second = await vi.waitFor(async () => {
      const socket = new TestSocket(`${url}/v1/stream`);
      await socket.next('session.ready');
      return socket;
    }, 5000);
    const back = new TestSocket(`${url}/v1/sessions/${first.messages[0]!.sessionId}/stream`);
    expect(await back.next('session.ready')).toMatchObject({ resumed: true });
    for (const socket of [second, back]) {
      socket.send({ type: 'audio.end' });
      expect(await socket.closed).toEqual({ code: 1000 });
    }
  });

  const upload = async (fields: Record<string, string | Blob>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const response = await fetch(`${url}/v1/sessions`, { method: 'POST', body: form });
    return { status: response.status, body: (await response.json()) as { code?: string; detail?: string } };
  };
  const wav = new Blob([readFileSync(fixture('austen-0880.wav')).subarray(0, 40_000)]);

  const REFUSED: [string, Record<string, string | Blob>, number, string][] = [
    ['a recording beyond the limit', { file: new Blob([new Uint8Array(60_000)]) }, 413, 'payload_too_large'],
    ['an empty file', { file: new Blob([]) }, 422, 'audio_empty'],
    [
      'a file that is no audio',
      { file: new Blob(['<!doctype html><p>No audio here.</p>']) },
      415,
      'audio_undecodable',
    ],
    ['no file', { options: '{}' }, 400, 'bad_request'],
    ['options that are not JSON', { file: wav, options: '{' }, 400, 'bad_request'],
    ['an option there is not', { file: wav, options: '{"speed":2}' }, 400, 'unsupported_option'],
    ['a field there is not', { file: wav, note: 'x' }, 400, 'unsupported_option'],
  ];
  for (const [what, fields, status, code] of REFUSED)
    it(`refuses ${what} as ${code}, leaving nothing behind`, async () => {
      const answer = await upload(fields);
      expect(answer).toMatchObject({ status, body: { code } });
      const list = (await (await gateway.request('/v1/sessions?state=PENDING')).json()) as {
        items: unknown[];
      };
      expect(list.items).toEqual([]);
    });

  it('refuses a multipart body that is none', async () => {
    const response = await gateway.request('/v1/sessions', {
      method: 'POST',
      body: 'no boundary anywhere',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect(response.status).toBe(400);
  });
});
