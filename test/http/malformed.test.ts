/** Requests that are hardly requests, over a bare socket. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';

describe('what is hardly HTTP', () => {
  let gateway: TestGateway;
  let port: number;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf });
    port = Number(new URL(await gateway.listen()).port);
  });
  afterAll(() => gateway.close());

  /** Sends bytes, and reads to the end of the connection. */
  const answerTo = async (bytes: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.write(bytes);
    await once(socket, 'close');
    return answer;
  };
  const get = (host: string, more = '') =>
    `GET /v1/sessions HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`;

  const MALFORMED: [string, string, number, string][] = [
    ['bytes that are no HTTP', 'good morning\r\n\r\n', 400, 'bad_request'],
    ['a method there is not', 'BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400, 'bad_request'],
    [
      'a chunk that is none',
      'POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
      'bad_request',
    ],
    ['headers beyond all bounds', get('127.0.0.1', `X: ${'a'.repeat(40_000)}\r\n`), 413, 'payload_too_large'],
    ['no host at all', 'GET /v1/sessions HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad_request'],
    ['a host that is none', get('a b/..'), 400, 'bad_request'],
    ['a host with a user', get('me@127.0.0.1'), 400, 'bad_request'],
  ];
  for (const [what, bytes, status, code] of MALFORMED)
    it(`refuses ${what} as a problem`, async () => {
      const [head, body] = (await answerTo(bytes)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(head).toMatch(/content-type: application\/problem\+json/i);
      const text = body!.slice(body!.indexOf('{'), body!.lastIndexOf('}') + 1);
      expect(JSON.parse(text)).toMatchObject({ status, code, requestId: 'req_test' });
    });
});

describe('addresses and methods', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf });
  });
  afterAll(() => gateway.close());

  it('name the methods there are when refusing one', async () => {
    const refused = await gateway.request('/v1/sessions', { method: 'PUT' });
    expect(refused.status).toBe(405);
    expect(refused.headers.get('allow')).toBe('POST, GET, HEAD');
    const asked = await gateway.request('/v1/sessions/ses_x', { method: 'OPTIONS' });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('allow')).toBe('GET, DELETE, HEAD');
  });

  it('leave no reader behind where only the head of a stream was asked for', async () => {
    const created = await gateway.request('/v1/sessions', { method: 'POST' });
    const { id } = (await created.json()) as { id: string };
    const head = await gateway.request(`/v1/sessions/${id}/events`, { method: 'HEAD' });
    expect(head.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await (await gateway.request('/metrics')).text()).toMatch(/^earshot_readers 0$/m);
  });

  const BODIES: [string, BodyInit][] = [
    ['no JSON', '{'],
    ['no object', 'null'],
    ['not UTF-8', new Uint8Array([...Buffer.from('{"prompt":"'), 0xff, ...Buffer.from('"}')])],
  ];
  for (const [what, body] of BODIES)
    it(`refuse a body that is ${what}`, async () => {
      const response = await gateway.request('/v1/sessions', { method: 'POST', body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'bad_request' });
    });
});
