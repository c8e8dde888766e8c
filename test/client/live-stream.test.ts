import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Earshot } from '../../src/client/earshot.ts';
import type { EarshotError } from '../../src/client/error.ts';
import type { StreamStatus } from '../../src/client/live-stream-options.ts';
import { realTiming } from '../../src/client/timing.ts';
import type { SessionEvent } from '../../src/domain/event.ts';
import {
  audioOf,
  durable,
  readyMessage,
  receipt,
  type StreamingGateway,
  streamingGateway,
} from './streaming-gateway.ts';

let gateway: StreamingGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  gateway = null;
});

const clientOf = ({ url }: StreamingGateway): Earshot => new Earshot({ url, WebSocket });
const pcm = (from: number, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, index) => (from + index) % 251);

async function collect(events: AsyncIterable<SessionEvent>): Promise<SessionEvent[]> {
  const all: SessionEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('a live stream', () => {
  it('sends what was handed over before there was a connection, then the end, and gives the receipt', async () => {
    gateway = await streamingGateway({
      connection: ({ say }) => say(readyMessage(false, 0)),
      message: ({ say }, message) => {
        if ('type' in message && message.type === 'audio.end') say(durable(3, 'session.done', { receipt }));
      },
    });
    const stream = await clientOf(gateway).stream();
    stream.send(pcm(0, 3_001));
    stream.commit();
    stream.send(pcm(3_001, 999));
    expect(await stream.end()).toEqual(receipt);
    const [connection] = gateway.connections;
    expect(connection!.query.get('token')).toBe('ek_1');
    expect(audioOf(connection!)).toEqual(Buffer.from(pcm(0, 4_000)));
    expect(connection!.received.map((piece) => ('type' in piece ? piece.type : piece.byteLength))).toEqual([
      3_001,
      'utterance.commit',
      999,
      'audio.end',
    ]);
    expect(stream.status).toBe('done');
    expect(() => stream.send(pcm(0, 2))).toThrow(expect.objectContaining({ code: 'session_ended' }));
  });

  it('takes a cut connection up again: audio from where the gateway says, each event once, with a fresh token', async () => {
    const audio = pcm(0, 32_000);
    const statuses: StreamStatus[] = [];
    const final = durable(1, 'transcript.final', { text: 'one' });
    gateway = await streamingGateway({
      connection: ({ say }, index) => {
        say(readyMessage(index > 0, index === 0 ? 0 : 4_000));
        if (index > 0) say(final);
      },
      message: (connection, message, index) => {
        const { say, socket } = connection;
        if (index === 0 && audioOf(connection).length >= 20_000) {
          say(final);
          say({ type: 'audio.ack', receivedSamples: 10_000, committedSamples: 3_500 });
          socket.terminate();
        }
        if ('type' in message && message.type === 'audio.end') say(durable(2, 'session.done', { receipt }));
      },
    });
    const stream = await clientOf(gateway).stream({}, { onStatus: (status) => statuses.push(status) });
    const events = collect(stream);
    for (let at = 0; at < audio.length; at += 1_000) {
      await stream.ready();
      stream.send(audio.subarray(at, at + 1_000));
    }
    await stream.end();
    const [, second] = gateway.connections;
    expect(audioOf(second!)).toEqual(Buffer.from(audio.subarray(8_000)));
    expect(second!.query.get('token')).toBe('ek_2');
    expect(second!.query.get('after')).toBe('1');
    expect((await events).map((event) => event.type)).toEqual(['transcript.final', 'session.done']);
    expect(statuses).toContain('reconnecting');
    expect(statuses.at(-1)).toBe('done');
  });

  it('sends everything again, and asks for all events, where nothing had got through', async () => {
    const audio = pcm(0, 6_000);
    gateway = await streamingGateway({
      connection: ({ say, socket }, index) => {
        say(readyMessage(false, 0));
        if (index === 0) setTimeout(() => socket.terminate(), 20);
      },
      message: ({ say }, message, index) => {
        if (index > 0 && 'type' in message) say(durable(1, 'session.done', { receipt }));
      },
    });
    const stream = await clientOf(gateway).stream();
    stream.send(audio);
    expect(await stream.end()).toEqual(receipt);
    const second = gateway.connections.at(-1)!;
    expect(audioOf(second)).toEqual(Buffer.from(audio));
    expect(second.query.get('after')).toBe('0');
  });

  it('asks for a token again where the first time nobody answers', async () => {
    gateway = await streamingGateway({
      connection: ({ say, socket }, index) => {
        say(readyMessage(index > 0, 0));
        if (index === 0) setTimeout(() => socket.terminate(), 20);
        else say(durable(1, 'session.done', { receipt }));
      },
    });
    const { url } = gateway;
    // A hundred times as fast, so that 10 s are soon over.
    const timing = {
      ...realTiming,
      after: (ms: number, fire: () => void) => realTiming.after(ms / 100, fire),
    };
    const signals: AbortSignal[] = [];
    const renewToken = (signal: AbortSignal) => {
      signals.push(signal);
      return signals.length > 1 ? Promise.resolve('ek_late') : new Promise<string>(() => {});
    };
    const client = new Earshot({ url, WebSocket, timing });
    const { stream: ticket } = await client.createSession();
    const stream = client.attach({ sessionId: 'ses_1', stream: ticket, renewToken });
    expect(await stream.receipt).toEqual(receipt);
    expect(gateway.connections.map(({ query }) => query.get('token'))).toEqual(['ek_1', 'ek_late']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('fails by the code of the gateway, and brings along what was stored', async () => {
    gateway = await streamingGateway({
      connection: ({ say, socket }, index) => {
        if (index === 0) {
          say(readyMessage(false, 0));
          setTimeout(() => socket.terminate(), 20);
        } else {
          say({ type: 'error', code: 'session_ended', message: 'it has ended', fatal: true });
          socket.close(4410);
        }
      },
    });
    const stream = await clientOf(gateway).stream();
    const error = await stream.receipt.catch((reason: EarshotError) => reason);
    expect(error).toMatchObject({ code: 'not_resumable', session: { text: 'what was stored' } });
    await expect(collect(stream)).rejects.toBe(error);
    await expect(stream.ready()).rejects.toMatchObject({ code: 'not_resumable' });
  });

  it('tells a refusal as it is, without trying again', async () => {
    gateway = await streamingGateway({
      connection: ({ say, socket }) => {
        say({ type: 'error', code: 'unauthorized', message: 'the token has expired', fatal: true });
        socket.close(4401);
      },
    });
    const stream = await clientOf(gateway).stream();
    await expect(stream.receipt).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'the token has expired',
    });
    expect(gateway.connections).toHaveLength(1);
  });

  it('says so when the gateway asks for audio that is no longer held', async () => {
    gateway = await streamingGateway({
      connection: ({ say }, index) => say(readyMessage(index > 0, 0)),
      message: (connection, _message, index) => {
        if (index > 0 || audioOf(connection).length < 8_000) return;
        connection.say({ type: 'audio.ack', receivedSamples: 4_000, committedSamples: 4_000 });
        setTimeout(() => connection.socket.terminate(), 20);
      },
    });
    const stream = await clientOf(gateway).stream();
    stream.send(pcm(0, 8_000));
    await expect(stream.receipt).rejects.toMatchObject({ code: 'not_resumable' });
  });

  it('tells a failed session from a lost connection, after its last event', async () => {
    gateway = await streamingGateway({
      connection: ({ say }) => {
        say(readyMessage(false, 0));
        const error = { code: 'recognition_failed', message: 'could not be recognised' };
        say(durable(1, 'session.failed', { error, receipt }));
      },
    });
    const stream = await clientOf(gateway).stream();
    await expect(stream.receipt).rejects.toMatchObject({ code: 'recognition_failed' });
    expect(await collect(stream)).toHaveLength(1);
  });

  it('makes a fast source wait for a slow gateway, and bounds what it holds', async () => {
    let heard = () => {};
    gateway = await streamingGateway({
      connection: ({ say, socket }) => {
        say(readyMessage(false, 0));
        socket.pause();
        heard = () => socket.resume();
      },
      message: ({ say }, message) => {
        if ('type' in message && message.type === 'audio.end') say(durable(1, 'session.done', { receipt }));
      },
    });
    const stream = await clientOf(gateway).stream({}, { maxHeldBytes: 1024 * 1024 });
    const piece = pcm(0, 64 * 1024);
    let sentBytes = 0;
    const fill = () => {
      for (;;) {
        stream.send(piece);
        sentBytes += piece.byteLength;
      }
    };
    // Nobody reads at the other end: the network's own buffers fill first, then what the stream may hold.
    for (let before = -1; before < sentBytes; ) {
      before = sentBytes;
      expect(fill).toThrow(expect.objectContaining({ code: 'buffer_full' }));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    let ready = false;
    const room = stream.ready().then(() => {
      ready = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(ready).toBe(false);
    heard();
    await room;
    await stream.end();
    expect(audioOf(gateway.connections[0]!).length).toBe(sentBytes);
  });

  it('hands complaints on and goes on', async () => {
    const warnings: EarshotError[] = [];
    gateway = await streamingGateway({
      connection: ({ say, socket }) => {
        socket.send('not JSON');
        say({ type: 'error', code: 'bad_message', message: 'unknown type', fatal: false });
        say(readyMessage(false, 0));
        say(durable(1, 'session.done', { receipt }));
      },
    });
    const stream = await clientOf(gateway).stream({}, { onWarning: (error) => warnings.push(error) });
    expect(await stream.receipt).toEqual(receipt);
    expect(warnings.map(({ code }) => code)).toEqual(['unexpected_answer', 'bad_message']);
  });

  it('stops at once when it is given up', async () => {
    gateway = await streamingGateway({ connection: ({ say }) => say(readyMessage(false, 0)) });
    const owner = new AbortController();
    const stream = await clientOf(gateway).stream({}, { signal: owner.signal });
    owner.abort();
    await expect(stream.receipt).rejects.toMatchObject({ code: 'aborted' });
    expect(stream.status).toBe('failed');
  });

  it('keeps only the newest hypothesis for a reader who is busy', async () => {
    const partial = (utteranceId: string, text: string) => ({
      type: 'transcript.partial',
      sessionId: 'ses_1',
      at: '',
      utteranceId,
      startMs: 0,
      endMs: 1,
      text,
      stableChars: 0,
    });
    gateway = await streamingGateway({
      connection: ({ say }) => {
        say(readyMessage(false, 0));
        say(partial('utt_1', 'a'));
        say(partial('utt_1', 'a b'));
        say(durable(1, 'transcript.final', { text: 'a b c' }));
        say(partial('utt_2', 'd'));
        say(durable(2, 'session.done', { receipt }));
      },
    });
    const stream = await clientOf(gateway).stream();
    await stream.receipt;
    expect((await collect(stream)).map((event) => ('text' in event ? event.text : event.type))).toEqual([
      'a b',
      'a b c',
      'd',
      'session.done',
    ]);
  });

  it('tells that no WebSocket can be opened to an address, instead of waiting for one', async () => {
    gateway = await streamingGateway({});
    const { url } = gateway;
    class Refusing {
      constructor() {
        throw new DOMException('an insecure WebSocket from a secure page', 'SecurityError');
      }
    }
    const client = new Earshot({ url, WebSocket: Refusing as unknown as typeof WebSocket });
    const stream = await client.stream();
    await expect(stream.receipt).rejects.toMatchObject({
      code: 'unreachable',
      cause: { name: 'SecurityError' },
    });
  });

  it('reads a source only as fast as the gateway takes it, and stops it with the stream', async () => {
    let made = 0;
    gateway = await streamingGateway({
      connection: ({ say, socket }) => {
        say(readyMessage(false, 0));
        socket.pause();
      },
    });
    const owner = new AbortController();
    const stream = await clientOf(gateway).stream({}, { signal: owner.signal });
    let stopped = false;
    function* endless() {
      try {
        for (;;) {
          made += 1;
          yield pcm(0, 64 * 1024);
        }
      } finally {
        stopped = true;
      }
    }
    const sent = stream.sendAll(endless());
    // Nobody reads at the other end: once the network's buffers are full, the source rests.
    for (let before = -1; before < made; ) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(stopped).toBe(false);
    owner.abort();
    await expect(sent).rejects.toMatchObject({ code: 'aborted' });
    expect(stopped).toBe(true);
  });

  it('is read by one reader at a time, who may stop and go on', async () => {
    gateway = await streamingGateway({
      connection: ({ say }) => {
        say(readyMessage(false, 0));
        say(durable(1, 'transcript.final', { text: 'one' }));
        say(durable(2, 'transcript.final', { text: 'two' }));
        say(durable(3, 'session.done', { receipt }));
      },
    });
    const stream = await clientOf(gateway).stream();
    for await (const event of stream) {
      expect(event).toMatchObject({ seq: 1 });
      await expect(collect(stream)).rejects.toThrow(TypeError);
      break;
    }
    expect(await collect(stream)).toMatchObject([{ seq: 2 }, { seq: 3 }]);
  });
});
