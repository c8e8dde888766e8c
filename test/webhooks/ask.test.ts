import { afterEach, describe, expect, it } from 'vitest';
import { addressRule } from '../../src/webhooks/addresses.ts';
import { type Answer, ask } from '../../src/webhooks/ask.ts';
import { type Behaviour, openReceiver, type Receiver, until } from './receiver.ts';

const rule = addressRule(['127.0.0.0/8']);

let receiver: Receiver;
afterEach(() => receiver.close());

const get = <T>(read: (answer: Answer) => Promise<T>, signal = new AbortController().signal) =>
  ask(new URL(`http://127.0.0.1:${receiver.port}/`), { method: 'GET', headers: {} }, { rule }, signal, read);

describe('an answer', () => {
  // Of sizes around the steps in which sockets are read and readers are held back.
  const SIZES = [65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 196_608, 262_144, 1_000_000];
  const AS_TOLD = 'connection: close\r\n';
  const ROWS: [string, (body: string) => string, 'end' | 'write'][] = [
    ['stays', (body) => `content-length: ${body.length}\r\n\r\n${body}`, 'write'],
    ['hangs up', (body) => `content-length: ${body.length}\r\n\r\n${body}`, 'end'],
    ['hangs up as it said', (body) => `${AS_TOLD}content-length: ${body.length}\r\n\r\n${body}`, 'end'],
    [
      'hangs up after its chunk',
      (body) => `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      'end',
    ],
    ['says only by that where it ends', (body) => `\r\n${body}`, 'end'],
  ];
  it.each(ROWS)('comes whole to a slow reader from a fast host that %s', async (_what, framed, last) => {
    for (const size of SIZES) {
      receiver = await openReceiver((socket) =>
        socket[last](`HTTP/1.1 200 OK\r\n${framed('x'.repeat(size))}`),
      );
      const read = await get(async (answer) => {
        let bytes = 0;
        for await (const chunk of answer.body) {
          bytes += chunk.length;
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        return bytes;
      });
      expect(read).toBe(size);
      await receiver.close();
    }
  });

  const endless: Behaviour = (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const more = () => {
      while (!socket.destroyed && socket.write('x'.repeat(16_384)));
    };
    socket.on('drain', more);
    more();
  };

  it('holds its host back while nobody reads', async () => {
    receiver = await openReceiver(endless);
    await get(async () => {
      const [socket] = receiver.open;
      // The host is told to wait once what lies between it and the reader is full.
      let before = -1;
      await until(() => {
        const isStill = before === socket!.bytesWritten && socket!.writableLength > 0;
        before = socket!.bytesWritten;
        return isStill;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(socket!.bytesWritten).toBe(before);
    });
    await until(() => receiver.open.size === 0);
  });

  it('is left where its reader fails', async () => {
    receiver = await openReceiver(endless);
    await expect(get(() => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
    await until(() => receiver.open.size === 0);
  });

  it('ends when the signal says so, also while it is read', async () => {
    receiver = await openReceiver((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nx'));
    const stop = new AbortController();
    const reading = get(async (answer) => {
      for await (const _chunk of answer.body) stop.abort();
    }, stop.signal);
    await expect(reading).rejects.toThrow();
    await until(() => receiver.open.size === 0);
  });
});
