import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { addressRule } from '../../src/webhooks/addresses.ts';
import { type FetchLimits, type FetchParts, fetchAudio, mayPass } from '../../src/webhooks/fetch-audio.ts';
import { freshFolder } from '../support/databases.ts';
import { FakeClock } from '../support/fake-clock.ts';
import {
  answer,
  type Behaviour,
  CERTIFICATE,
  openReceiver,
  type Receiver,
  type ReceiverOptions,
  until,
} from './receiver.ts';

const rule = addressRule(['127.0.0.0/8']);
const never = new AbortController().signal;
const sound = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

let host: Receiver;
let folder: Awaited<ReturnType<typeof freshFolder>>;
let path: string;
beforeEach(async () => {
  folder = await freshFolder();
  path = join(folder.path, 'audio');
});
afterEach(async () => {
  await host.close();
  await folder.remove();
});

const open = async (behave: Behaviour, options?: ReceiverOptions): Promise<void> => {
  host = await openReceiver(behave, options);
};

interface Given extends Partial<FetchParts>, Partial<FetchLimits> {
  readonly url?: string;
  readonly signal?: AbortSignal;
}

function fetched(given: Given = {}): Promise<{ sizeBytes: number }> {
  const { url = 'http://127.0.0.1:PORT/a/speech.wav?sig=1', signal = never, ...others } = given;
  const { maxBytes = 1_000_000, timeoutMs = 60_000, ...parts } = others;
  const whole = url.replace('PORT', String(host.port));
  return fetchAudio(whole, path, { maxBytes, timeoutMs }, { rule, clock: systemClock, ...parts }, signal);
}

const failure = (given?: Given): Promise<Failure> =>
  fetched(given).then(
    () => Promise.reject(new Error('it was to fail')),
    (error) => error,
  );

/** By the path that is asked for. */
const routes =
  (answers: Readonly<Record<string, Buffer>>): Behaviour =>
  (socket, request) =>
    socket.end(answers[request.split(' ')[1]!] ?? answer(404));

describe('audio at an address', () => {
  it('is fetched to a file that nobody else may read', async () => {
    await open((socket) => socket.end(answer(200, sound)));
    expect(await fetched()).toEqual({ sizeBytes: sound.length });
    expect((await readFile(path)).equals(sound)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(host.requests[0]).toMatch(/^GET \/a\/speech\.wav\?sig=1 HTTP\/1\.1\r\n/);
    await until(() => host.open.size === 0);
  });

  it('leaves no timer and no listener behind', async () => {
    await open((socket) => socket.end(answer(200, sound)));
    const clock = new FakeClock();
    const { signal } = new AbortController();
    await fetched({ clock, signal });
    expect(clock.waiting).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('may come in chunks', async () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    await open((socket) => socket.end(`${head}4\r\nRIFF\r\n4\r\nWAVE\r\n0\r\n\r\n`));
    expect(await fetched()).toEqual({ sizeBytes: 8 });
    expect(await readFile(path, 'utf8')).toBe('RIFFWAVE');
  });

  it('may come over TLS, by a name', async () => {
    await open((socket) => socket.end(answer(200, sound)), { tls: true });
    const lookup = async () => ['127.0.0.1'];
    expect(await fetched({ url: 'https://receiver.test:PORT/', lookup, ca: CERTIFICATE })).toEqual({
      sizeBytes: sound.length,
    });
  });

  it('may be exactly as large as is allowed', async () => {
    await open((socket) => socket.end(answer(200, sound)));
    expect(await fetched({ maxBytes: sound.length })).toEqual({ sizeBytes: sound.length });
  });

  it.each([301, 302, 303, 307, 308])('may be elsewhere, says a %i', async (status) => {
    await open(
      routes({
        '/a/speech.wav?sig=1': answer(status, 'look there', { location: '../b?sig=2' }),
        '/b?sig=2': answer(200, sound),
      }),
    );
    expect(await fetched()).toEqual({ sizeBytes: sound.length });
  });

  it('may be three redirects away, and no more', async () => {
    const hop = (to: string) => answer(302, '', { location: to });
    await open(
      routes({
        '/0': hop('/1'),
        '/1': hop('/2'),
        '/2': hop('/3'),
        '/3': hop('/4'),
        '/4': answer(200, sound),
      }),
    );
    expect(await fetched({ url: 'http://127.0.0.1:PORT/1' })).toEqual({ sizeBytes: sound.length });
    const error = await failure({ url: 'http://127.0.0.1:PORT/0' });
    expect(error).toMatchObject({ code: 'audio_unreachable' });
    expect(mayPass(error)).toBe(false);
    expect(existsSync(path)).toBe(false);
  });
});

describe('audio that cannot be had', () => {
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const ROWS: [string, Behaviour, Given, string, boolean][] = [
    ['400', (socket) => socket.end(answer(400)), {}, 'audio_unreachable', false],
    ['403', (socket) => socket.end(answer(403)), {}, 'audio_unreachable', false],
    ['404', (socket) => socket.end(answer(404, 'no')), {}, 'audio_unreachable', false],
    ['410', (socket) => socket.end(answer(410)), {}, 'audio_unreachable', false],
    ['304', (socket) => socket.end(answer(304)), {}, 'audio_unreachable', false],
    ['408', (socket) => socket.end(answer(408)), {}, 'audio_unreachable', true],
    ['429', (socket) => socket.end(answer(429)), {}, 'audio_unreachable', true],
    ['500', (socket) => socket.end(answer(500)), {}, 'audio_unreachable', true],
    ['503', (socket) => socket.end(answer(503)), {}, 'audio_unreachable', true],
    ['a redirect to nowhere', (socket) => socket.end(answer(302)), {}, 'audio_unreachable', false],
    [
      'a redirect to what is no address',
      (socket) => socket.end(answer(302, '', { location: 'http://[' })),
      {},
      'audio_unreachable',
      false,
    ],
    [
      'a redirect inside',
      (socket) => socket.end(answer(302, '', { location: 'http://10.0.0.1/' })),
      {},
      'address_not_allowed',
      false,
    ],
    ['an address inside', () => {}, { rule: addressRule([]) }, 'address_not_allowed', false],
    [
      'a name that leads inside',
      () => {},
      { url: 'http://host.test:PORT/', lookup: async () => ['10.0.0.1'] },
      'address_not_allowed',
      false,
    ],
    [
      'a name that leads nowhere',
      () => {},
      { url: 'http://host.test:PORT/', lookup: async () => [] },
      'audio_unreachable',
      true,
    ],
    [
      'more than is allowed, says its length',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n'),
      { maxBytes: 1000 },
      'payload_too_large',
      false,
    ],
    [
      'more than is allowed, without a word',
      (socket) => socket.write(`${chunked}3e9\r\n${'x'.repeat(1001)}\r\n`),
      { maxBytes: 1000 },
      'payload_too_large',
      false,
    ],
    [
      'no end',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const more = () => {
          while (!socket.destroyed && socket.write(sound));
        };
        socket.on('drain', more);
        more();
      },
      {},
      'payload_too_large',
      false,
    ],
    ['nothing in it', (socket) => socket.end(answer(200)), {}, 'audio_empty', false],
    ['no HTTP', (socket) => socket.end('220 ftp.test\r\n'), {}, 'audio_unreachable', true],
    ['a reset', (socket) => void socket.resetAndDestroy(), {}, 'audio_unreachable', true],
    [
      'an end before its end',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nRIFF'),
      {},
      'audio_unreachable',
      true,
    ],
    [
      'an end within its chunks',
      (socket) => socket.end(`${chunked}4\r\nRIFF\r\n`),
      {},
      'audio_unreachable',
      true,
    ],
    [
      'a reset where only the end of the connection is the end',
      (socket) =>
        socket.write('HTTP/1.1 200 OK\r\n\r\nRIFF', () => setTimeout(() => socket.resetAndDestroy(), 20)),
      {},
      'audio_unreachable',
      true,
    ],
    [
      'a reset within',
      (socket) =>
        socket.write(`${chunked}4\r\nRIFF\r\n`, () => setTimeout(() => socket.resetAndDestroy(), 20)),
      {},
      'audio_unreachable',
      true,
    ],
  ];
  it.each(ROWS)(
    'leaves no file and says whether it may pass: %s',
    async (_what, behave, given, code, passes) => {
      await open(behave);
      const error = await failure(given);
      expect(error).toBeInstanceOf(Failure);
      expect(error.code).toBe(code);
      expect(mayPass(error)).toBe(passes);
      expect(existsSync(path)).toBe(false);
      await until(() => host.open.size === 0);
    },
  );

  it('is not taken from a host that nobody vouches for', async () => {
    await open((socket) => socket.end(answer(200, sound)), { tls: true });
    expect(await failure({ url: 'https://127.0.0.1:PORT/' })).toMatchObject({ code: 'audio_unreachable' });
    expect(host.requests).toEqual([]);
  });

  it('is asked for again when the host says', async () => {
    await open((socket) => socket.end(answer(503, '', { 'retry-after': 90 })));
    expect((await failure()).retryAfterMs).toBe(90_000);
  });

  it.each([
    ['before its headers', ''],
    ['within', `${chunked}4\r\nRIFF\r\n`],
  ])('is given up where the host stalls %s', async (_when, text) => {
    await open((socket) => socket.write(text));
    const clock = new FakeClock();
    const outcome = failure({ clock, stallMs: 5000 });
    await until(() => host.requests.length === 1);
    // What was sent so far gets to arrive; the clock stands meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(5000);
    const error = await outcome;
    expect(error).toMatchObject({ code: 'audio_unreachable', message: expect.stringContaining('too long') });
    expect(mayPass(error)).toBe(true);
    expect(existsSync(path)).toBe(false);
    expect(clock.waiting).toBe(0);
  });

  it('is waited for anew with every sign of its host', async () => {
    let host: Socket | undefined;
    await open((socket) => {
      host = socket;
    });
    const clock = new FakeClock();
    const outcome = fetched({ clock, stallMs: 5000 });
    await until(() => host !== undefined);
    for (const text of ['HTTP/1.1 200 OK\r\n\r\n', 'RI', 'FF']) {
      await clock.advance(4000);
      host!.write(text);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    host!.end();
    expect(await outcome).toEqual({ sizeBytes: 4 });
  });

  it('is given up where it drips beyond the time there is', async () => {
    let drips = 0;
    let drip = () => {};
    await open((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      drip = () => {
        drips++;
        socket.write('x');
      };
    });
    const clock = new FakeClock();
    const outcome = failure({ clock, stallMs: 5000, timeoutMs: 12_000 });
    await until(() => host.requests.length === 1);
    // Never so slow that it has stalled.
    while (clock.monotonicMs() < 11_000) {
      drip();
      await until(() => existsSync(path));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await clock.advance(1000);
      expect(existsSync(path)).toBe(true);
    }
    await clock.advance(1000);
    expect(await outcome).toMatchObject({
      code: 'audio_unreachable',
      message: expect.stringContaining('too long'),
    });
    expect(drips).toBe(11);
    expect(existsSync(path)).toBe(false);
  });

  it('is dropped when the caller no longer wants it', async () => {
    await open((socket) => socket.write(`${chunked}4\r\nRIFF\r\n`));
    const stop = new AbortController();
    const outcome = failure({ signal: stop.signal });
    await until(() => existsSync(path));
    stop.abort(new Error('no longer wanted'));
    expect(await outcome).toMatchObject({ message: 'no longer wanted' });
    expect(existsSync(path)).toBe(false);
    await until(() => host.open.size === 0);
  });
});
