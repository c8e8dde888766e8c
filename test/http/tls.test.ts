import { once } from 'node:events';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config.ts';
import { readCertificate } from '../../src/http/certificate.ts';
import { listen } from '../../src/http/server.ts';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { selfSigned } from '../support/certificate.ts';
import { freshFolder } from '../support/databases.ts';

let folder: Awaited<ReturnType<typeof freshFolder>>;
let made: ReturnType<typeof selfSigned>;
beforeAll(async () => {
  folder = await freshFolder();
  made = selfSigned(folder.path);
});
afterAll(() => folder.remove());

describe('a gateway with a certificate', () => {
  let gateway: TestGateway;
  let server: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf });
    const { cert, key } = made;
    const settings = { host: '127.0.0.1', port: 0, maxFrameBytes: 1024, certificate: { cert, key } };
    server = await listen(gateway.gateway.api, { ...settings, newId: (prefix) => `${prefix}_test` });
  });
  afterAll(async () => {
    await server.close();
    await gateway.close();
  });

  it('answers over https, and says wss where to stream to', async () => {
    expect(server.url).toMatch(/^https:/);
    const asked = request(`${server.url}/v1/sessions`, { method: 'POST', ca: made.cert }).end();
    const [response] = await once(asked, 'response');
    const { stream } = JSON.parse(await text(response)) as { stream: { url: string; token: string } };
    expect(stream.url).toMatch(/^wss:\/\/127\.0\.0\.1/);

    const socket = new WebSocket(`${stream.url}?token=${stream.token}`, { ca: made.cert });
    const [message] = await once(socket, 'message');
    expect(JSON.parse(String(message))).toMatchObject({ type: 'session.ready' });
    socket.terminate();
  });
});

describe('the certificate of the settings', () => {
  const read = (certFile?: string, keyFile?: string) =>
    readCertificate({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });

  it('is none where none is named', async () => {
    expect(await read()).toBeNull();
  });

  it('is read where it and its key belong together', async () => {
    const { cert, key, certFile, keyFile } = made;
    expect(await read(certFile, keyFile)).toEqual({ cert, key });
  });

  it.each([
    ['is missing', () => [join(folder.path, 'none.pem'), made.keyFile], /TLS_CERT_FILE: .*none\.pem/],
    ['has no key', () => [made.certFile, join(folder.path, 'none.pem')], /TLS_KEY_FILE: .*none\.pem/],
    ['is none', () => [made.keyFile, made.certFile], /TLS_CERT_FILE: it cannot be used/],
  ])('is refused by name where it %s', async (_, files, message) => {
    await expect(read(...files())).rejects.toThrow(message);
  });

  it('needs both files', () => {
    const alone = { TLS_CERT_FILE: 'cert.pem' };
    expect(() => readConfig(alone)).toThrow(/TLS_CERT_FILE: a certificate and its key/);
    expect(() => readConfig({ TLS_KEY_FILE: 'key.pem' })).toThrow(/TLS_CERT_FILE/);
  });
});
