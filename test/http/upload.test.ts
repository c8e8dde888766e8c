/** Uploads that go wrong half-way leave neither a file nor an open one. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';
import { fixture } from '../support/speech.ts';

const WAV = readFileSync(fixture('austen-0880.wav'));
const FILE = 'Content-Disposition: form-data; name="file"; filename="a.wav"';
const OPTIONS = 'Content-Disposition: form-data; name="options"';

const multipart = (...fields: [header: string, content: string | Uint8Array][]): Buffer<ArrayBuffer> =>
  Buffer.concat([
    ...fields.map(([header, content]) =>
      Buffer.concat([Buffer.from(`--b\r\n${header}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]),
    ),
    Buffer.from('--b--\r\n'),
  ]);

describe('an upload', () => {
  let gateway: TestGateway;
  let url: string;
  let folder: string;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf });
    url = await gateway.listen();
    folder = join(gateway.config.DATA_DIR, 'uploads');
  });
  afterAll(() => gateway.close());

  /** Files under the folder that this process holds open, where the system tells. */
  const openFiles = (): string[] =>
    !existsSync('/proc/self/fd')
      ? []
      : readdirSync('/proc/self/fd').flatMap((fd) => {
          try {
            return [readlinkSync(`/proc/self/fd/${fd}`)].filter((path) => path.startsWith(folder));
          } catch {
            return [];
          }
        });
  const nothingLeft = () =>
    vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual([]);
      expect(openFiles()).toEqual([]);
    }, 5000);

  const post = async (body: Buffer<ArrayBuffer>, contentType = 'multipart/form-data; boundary=b') => {
    const headers = { 'content-type': contentType };
    const response = await fetch(`${url}/v1/sessions`, { method: 'POST', body, headers });
    return { status: response.status, body: (await response.json()) as { id: string; code?: string } };
  };

  it('that breaks off is forgotten', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n--b\r\n${FILE}\r\n\r\n`,
    );
    socket.write(WAV.subarray(0, 50_000));
    await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1), 5000);
    await sleep(50);
    socket.resetAndDestroy();
    await nothingLeft();
  });

  const REFUSED: [string, [string, string | Uint8Array][]][] = [
    [
      'with options that are not JSON behind its file',
      [
        [FILE, WAV],
        [OPTIONS, '{'],
      ],
    ],
    [
      'with options that are not JSON before its file',
      [
        [OPTIONS, '{'],
        [FILE, WAV],
      ],
    ],
    [
      'with options that are none',
      [
        [OPTIONS, 'null'],
        [FILE, WAV],
      ],
    ],
    [
      'with an audio option that is none',
      [
        [OPTIONS, '{"audio":null}'],
        [FILE, WAV],
      ],
    ],
    [
      'with options twice',
      [
        [OPTIONS, '{}'],
        [OPTIONS, '{}'],
        [FILE, WAV],
      ],
    ],
    [
      'of two files',
      [
        [FILE, WAV],
        [FILE, WAV],
      ],
    ],
    ['whose file has no name', [['Content-Disposition: form-data; name="file"', 'abc']]],
  ];
  for (const [what, fields] of REFUSED)
    it(`${what} is refused and forgotten`, async () => {
      expect(await post(multipart(...fields))).toMatchObject({ status: 400, body: { code: 'bad_request' } });
      await nothingLeft();
    });

  it('is known by its content type however that is spelt', async () => {
    const { status, body } = await post(multipart([FILE, WAV]), 'Multipart/Form-Data; boundary=b');
    expect(status).toBe(202);
    await fetch(`${url}/v1/sessions/${body.id}`, { method: 'DELETE' });
    await nothingLeft();
  });
});
