/** One delivery to receivers of every kind, over real sockets. Time is turned by hand where it has to pass. */
import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { addressRule } from '../../src/webhooks/addresses.ts';
import { type Attempt, type SendParts, sendWebhook } from '../../src/webhooks/send.ts';
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

let receiver: Receiver;
afterEach(() => receiver.close());

const open = async (behave: Behaviour, options?: ReceiverOptions): Promise<void> => {
  receiver = await openReceiver(behave, options);
};

const deliver = (
  parts: Partial<SendParts> & { readonly clock?: Clock } = {},
  { url = 'http://127.0.0.1:PORT/hook?of=mine', signal = never } = {},
): Promise<Attempt> =>
  sendWebhook(
    {
      url: url.replace('PORT', String(receiver.port)),
      body: '{"text":"한국어"}',
      headers: { 'webhook-id': 'msg_1', 'webhook-signature': 'v1,abc' },
    },
    { rule, clock: systemClock, ...parts },
    signal,
  );

/** Nothing is left open on either side. */
const hungUp = () => until(() => receiver.open.size === 0);

describe('an attempt', () => {
  it('posts the body as it is, with the headers that prove it', async () => {
    await open((socket) => socket.end(answer(200, 'thanks')));
    const attempt = await deliver();
    expect(attempt).toEqual({
      status: 200,
      response: 'thanks',
      error: null,
      retryAfterMs: null,
      durationMs: expect.any(Number),
    });
    const [head, body] = receiver.requests[0]!.split('\r\n\r\n');
    expect(head!.split('\r\n')[0]).toBe('POST /hook?of=mine HTTP/1.1');
    for (const line of [
      'content-type: application/json',
      'user-agent: earshot-webhooks',
      'webhook-id: msg_1',
      'webhook-signature: v1,abc',
      'connection: close',
    ])
      expect(head!.toLowerCase().split('\r\n')).toContain(line);
    expect(body).toBe('{"text":"한국어"}');
  });

  const STATUSES: [string, Buffer, Partial<Attempt>][] = [
    ['204', answer(204), { status: 204 }],
    ['299', answer(299), { status: 299 }],
    ['404', answer(404, 'who?'), { status: 404, response: 'who?' }],
    ['410', answer(410, 'gone'), { status: 410, response: 'gone' }],
    ['429 with seconds', answer(429, '', { 'retry-after': 120 }), { status: 429, retryAfterMs: 120_000 }],
    ['429 without', answer(429), { status: 429, retryAfterMs: null }],
    [
      '503 with an instant',
      answer(503, '', { 'retry-after': 'Wed, 01 Jan 2025 00:02:00 GMT' }),
      { status: 503, retryAfterMs: 120_000 },
    ],
    ['500', answer(500, 'oh'), { status: 500, response: 'oh' }],
    ['hints, then 200', Buffer.concat([answer('103', '', {}), answer(200)]), { status: 200 }],
  ];
  it.each(STATUSES)('tells of %s', async (_what, bytes, expected) => {
    await open((socket) => socket.end(bytes));
    // Its clock says 1 January 2025.
    expect(await deliver({ clock: new FakeClock() })).toMatchObject({ ...expected, error: null });
  });

  it.each([301, 302, 303, 307, 308])('does not follow a %i', async (status) => {
    await open((socket) => socket.end(answer(status, '', { location: '/elsewhere' })));
    expect(await deliver()).toMatchObject({ status, error: null });
    expect(receiver.connections).toBe(1);
  });

  it('keeps the first KiB of the answer, without half a character or NUL', async () => {
    await open((socket) => socket.end(answer(500, `\0${'é'.repeat(2000)}`)));
    const { response } = await deliver();
    expect(response).toBe(`\uFFFD${'é'.repeat(511)}`);
  });

  it('comes on a connection of its own', async () => {
    await open((socket) => socket.write(answer(200)));
    await deliver();
    await deliver();
    expect(receiver.connections).toBe(2);
    await hungUp();
  });

  it('tries the other addresses of a name where one does not answer', async () => {
    await open((socket) => socket.end(answer(200)), { host: '127.0.0.2' });
    const lookup = async () => ['127.0.0.3', '127.0.0.2'];
    expect(await deliver({ lookup }, { url: 'http://receiver.test:PORT/' })).toMatchObject({ status: 200 });
  });
});

describe('a receiver that takes its time', () => {
  const drip =
    (first: string): Behaviour =>
    (socket) => {
      socket.write(first);
      const timer = setInterval(() => socket.write('x'), 1);
      socket.once('close', () => clearInterval(timer));
    };
  const ROWS: [string, Behaviour, Partial<Attempt>][] = [
    ['sends nothing', () => {}, { status: null, error: 'timeout' }],
    [
      'stalls in its headers',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nx: '),
      { status: null, error: 'timeout' },
    ],
    ['drips headers', drip('HTTP/1.1 200 OK\r\nx: '), { status: null, error: 'timeout' }],
    [
      'only ever says that it goes on',
      (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'),
      { status: null, error: 'timeout' },
    ],
    [
      'would have more of the request',
      (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
      { status: null, error: 'timeout' },
    ],
    [
      'stalls in its body',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwell'),
      { status: 200, error: null, response: 'well' },
    ],
    [
      'drips its body',
      drip('HTTP/1.1 200 OK\r\n\r\n'),
      { status: 200, error: null, response: expect.stringMatching(/^x*$/) as unknown as string },
    ],
    [
      'stalls in the body of an error',
      (socket) => socket.write('HTTP/1.1 500 Oh\r\ncontent-length: 9\r\n\r\nwell'),
      { status: 500, error: null, response: 'well' },
    ],
  ];
  it.each(ROWS)('%s: is left after 15 s', async (_what, behave, expected) => {
    await open(behave);
    const clock = new FakeClock();
    const sent = deliver({ clock });
    await until(() => receiver.requests.length === 1);
    // What was sent so far gets to arrive; the clock stands meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(14_999);
    expect(receiver.open.size).toBe(1);
    await clock.advance(1);
    expect(await sent).toMatchObject({ ...expected, durationMs: 15_000 });
    expect(clock.waiting).toBe(0);
    await hungUp();
  });

  it('never begins with TLS: is left in time', async () => {
    await open(() => {});
    const clock = new FakeClock();
    const sent = deliver({ clock, timeoutMs: 700 }, { url: 'https://127.0.0.1:PORT/' });
    await until(() => receiver.connections === 1);
    await clock.advance(700);
    expect(await sent).toMatchObject({ status: null, error: 'timeout', durationMs: 700 });
    await hungUp();
  });

  it('has a name that nobody answers for: is left in time, and not dialled when the answer comes', async () => {
    await open(() => {});
    const clock = new FakeClock();
    const asked: ((addresses: string[]) => void)[] = [];
    const lookup = () => new Promise<string[]>((resolve) => asked.push(resolve));
    const sent = deliver({ clock, lookup }, { url: 'http://receiver.test:PORT/' });
    await until(() => asked.length === 1);
    await clock.advance(15_000);
    expect(await sent).toMatchObject({ status: null, error: 'timeout' });
    asked[0]!(['127.0.0.1']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(receiver.connections).toBe(0);
  });
});

describe('a receiver that does not behave', () => {
  const reset = (socket: Socket) => void socket.resetAndDestroy();
  const after =
    (text: string, then: (socket: Socket) => void): Behaviour =>
    (socket) =>
      socket.write(text, () => setTimeout(() => then(socket), 20));

  const ROWS: [string, Behaviour, Partial<Attempt>][] = [
    ['resets', reset, { error: 'connection' }],
    ['hangs up', (socket) => void socket.end(), { error: 'connection' }],
    ['resets in its headers', after('HTTP/1.1 200 OK\r\nx: ', reset), { error: 'connection' }],
    [
      'hangs up in its headers',
      after('HTTP/1.1 200 OK\r\nx: ', (socket) => socket.end()),
      { error: 'connection' },
    ],
    [
      'resets in its body',
      after('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwell', reset),
      { status: 200, error: null, response: 'well' },
    ],
    [
      'hangs up in its body',
      after('HTTP/1.1 500 Oh\r\ncontent-length: 9\r\n\r\nwell', (socket) => socket.end()),
      { status: 500, error: null, response: 'well' },
    ],
    [
      'sends a chunk that is none',
      after('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwell\r\nzz\r\n', () => {}),
      { status: 200, error: null, response: 'well' },
    ],
    ['speaks no HTTP', (socket) => void socket.write('220 mail.test ESMTP\r\n'), { error: 'protocol' }],
    ['has no status', (socket) => void socket.write('HTTP/1.1 OK\r\n\r\n'), { error: 'protocol' }],
    [
      'has headers without end',
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`),
      { error: 'protocol' },
    ],
    [
      'switches protocols',
      (socket) => void socket.write('HTTP/1.1 101 Up\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      { status: null, error: 'protocol' },
    ],
  ];
  it.each(ROWS)('%s: is an attempt like others', async (_what, behave, expected) => {
    await open(behave);
    const attempt = await deliver();
    expect(attempt).toMatchObject(expected);
    expect(attempt.status === null).toBe(attempt.error !== null);
    await hungUp();
  });

  it('never ends its answer: is read to 64 KiB and left', async () => {
    let writtenBytes = 0;
    await open((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write('y'.repeat(4096))) writtenBytes += 4096;
      };
      socket.on('drain', more);
      more();
    });
    // The clock stands still: only the bound on bytes can end this.
    const attempt = await deliver({ clock: new FakeClock() });
    expect(attempt).toMatchObject({ status: 200, error: null, response: 'y'.repeat(1024) });
    await hungUp();
    expect(writtenBytes).toBeGreaterThanOrEqual(64 * 1024);
  });

  it('does not listen: is no connection', async () => {
    await open(() => {});
    await receiver.close();
    expect(await deliver()).toMatchObject({ status: null, error: 'connection', response: '' });
  });

  it('has no address: is an unknown host', async () => {
    await open(() => {});
    const url = 'https://receiver.test:PORT/';
    const lookup = async () => Promise.reject(new Error('ENOTFOUND'));
    expect(await deliver({ lookup }, { url })).toMatchObject({ status: null, error: 'unknown_host' });
    expect(await deliver({ lookup: async () => [] }, { url })).toMatchObject({ error: 'unknown_host' });
  });
});

describe('over TLS', () => {
  const lookup = async () => ['127.0.0.1'];
  const ca = CERTIFICATE;
  const well: Behaviour = (socket) => socket.end(answer(200, 'thanks'));

  it.each(['https://receiver.test:PORT/', 'https://receiver.test.:PORT/'])(
    'asks for the name, wherever it leads: %s',
    async (url) => {
      await open(well, { tls: true });
      expect(await deliver({ lookup, ca }, { url })).toMatchObject({ status: 200, response: 'thanks' });
      expect(receiver.names).toEqual(['receiver.test']);
    },
  );

  it('tells a connection that breaks from TLS that fails', async () => {
    await open((socket) => socket.destroy(), { tls: true });
    const url = 'https://receiver.test:PORT/';
    expect(await deliver({ lookup, ca }, { url })).toMatchObject({ status: null, error: 'connection' });
    expect(receiver.requests).toHaveLength(1);
  });

  it('holds an address to its certificate', async () => {
    await open(well, { tls: true });
    expect(await deliver({ ca }, { url: 'https://127.0.0.1:PORT/' })).toMatchObject({ status: 200 });
    expect(await deliver({ ca }, { url: 'https://127.0.0.2:PORT/' })).toMatchObject({ error: 'connection' });
  });

  const ROWS: [string, Partial<SendParts>, string, ReceiverOptions, Behaviour][] = [
    ['a certificate nobody vouches for', {}, 'https://receiver.test:PORT/', { tls: true }, well],
    ['a certificate for another name', { ca }, 'https://other.test:PORT/', { tls: true }, well],
    [
      'plain text',
      { ca },
      'https://receiver.test:PORT/',
      { onConnection: (socket) => socket.write('hello\r\n') },
      well,
    ],
    ['no word', { ca }, 'https://receiver.test:PORT/', { onConnection: (socket) => socket.end() }, well],
    [
      'a reset',
      { ca },
      'https://receiver.test:PORT/',
      { onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()) },
      well,
    ],
  ];
  it.each(ROWS)('sends nothing to a receiver with %s', async (_what, parts, url, options, behave) => {
    await open(behave, options);
    expect(await deliver({ lookup, ...parts }, { url })).toMatchObject({ status: null, error: 'tls' });
    expect(receiver.requests).toEqual([]);
    await hungUp();
  });
});

describe('the caller', () => {
  it('may cancel at any time', async () => {
    await open(() => {});
    const stop = new AbortController();
    const sent = deliver({}, { signal: stop.signal });
    await until(() => receiver.requests.length === 1);
    stop.abort();
    expect(await sent).toMatchObject({ status: null, error: 'cancelled' });
    await hungUp();
  });

  it('sends nothing once it has cancelled', async () => {
    await open((socket) => socket.end(answer(200)));
    expect(await deliver({}, { signal: AbortSignal.abort() })).toMatchObject({ error: 'cancelled' });
    expect(receiver.connections).toBe(0);
  });

  it('is not left with a listener on its signal', async () => {
    await open((socket) => socket.end(answer(200)));
    const { signal } = new AbortController();
    await deliver({}, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
