import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Earshot } from '../../src/client/earshot.ts';
import type { Timing } from '../../src/client/timing.ts';
import { durable, receipt, type StreamingGateway, streamingGateway } from './streaming-gateway.ts';

let gateway: StreamingGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  gateway = null;
});

/** Real time, but for pauses, which take none. */
const hasty: Timing = {
  now: () => 0,
  random: () => 0,
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs > 10_000 ? delayMs : 0);
    return () => clearTimeout(timer);
  },
};

const log = [
  durable(1, 'session.started'),
  durable(2, 'transcript.final', { text: 'Grüße, 안녕하세요' }),
  durable(3, 'llm.token', { delta: 'a' }),
  durable(4, 'session.done', { receipt: { ...receipt, lastSeq: 4 } }),
];

const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

const written = (after: number): Buffer =>
  Buffer.from(
    `retry: 10\n\n: hello\n\n${log
      .filter(({ seq }) => seq > after)
      .map((event) => `event: ${event.type}\nid: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`)
      .join('')}`,
  );

async function seqs(url: string, after?: number): Promise<(number | string)[]> {
  const all: (number | string)[] = [];
  for await (const event of new Earshot({ url, timing: hasty }).events('ses_1', { after }))
    all.push('seq' in event ? event.seq : event.type);
  return all;
}

describe("following a session's events", () => {
  it('reads the whole log, once and in order, wherever the connection is cut', async () => {
    let cuts: number[] = [];
    gateway = await streamingGateway({
      request: (request, response) => {
        const after = Number(request.headers['last-event-id'] ?? 0);
        const body = written(after);
        const cut = cuts.shift();
        stream(response);
        if (cut === undefined) response.end(body);
        else response.write(body.subarray(0, cut), () => response.destroy());
      },
    });
    const { url } = gateway;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(500), { maxLength: 4 }), async (places) => {
        cuts = [...places];
        expect(await seqs(url)).toEqual([1, 2, 3, 4]);
      }),
      { numRuns: 40 },
    );
  });

  it('drops what it has had already', async () => {
    let asked = 0;
    gateway = await streamingGateway({
      request: (_request, response) => {
        asked += 1;
        stream(response);
        if (asked === 1) response.write(written(0).subarray(0, 250), () => response.destroy());
        else response.end(written(0));
      },
    });
    expect(await seqs(gateway.url)).toEqual([1, 2, 3, 4]);
  });

  it('passes on that events are missing', async () => {
    gateway = await streamingGateway({
      request: (_request, response) => {
        stream(response).end(Buffer.concat([Buffer.from('event: reset\ndata: {}\n\n'), written(2)]));
      },
    });
    expect(await seqs(gateway.url, 1)).toEqual(['reset', 3, 4]);
  });

  it('ends where nothing comes after the end', async () => {
    gateway = await streamingGateway({
      request: (request, response) => {
        if (request.url!.includes('/events')) stream(response).end();
        else response.end(JSON.stringify({ id: 'ses_1', receipt: { lastSeq: 4 } }));
      },
    });
    expect(await seqs(gateway.url, 4)).toEqual([]);
  });

  it('throws the refusal of the gateway', async () => {
    gateway = await streamingGateway({
      request: (_request, response) => {
        response
          .writeHead(404, { 'content-type': 'application/problem+json' })
          .end(JSON.stringify({ code: 'not_found', detail: 'no such session', requestId: 'req_1' }));
      },
    });
    await expect(seqs(gateway.url)).rejects.toMatchObject({
      code: 'not_found',
      status: 404,
      requestId: 'req_1',
      message: 'no such session',
    });
  });

  it('tells at once that nobody answers, instead of trying for ever', async () => {
    gateway = await streamingGateway({});
    const { url } = gateway;
    await gateway.close();
    gateway = null;
    await expect(seqs(url)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('gives up a connection it had when patience is over', async () => {
    let asked = 0;
    gateway = await streamingGateway({
      request: (_request, response) => {
        asked += 1;
        const heard = asked === 1 ? written(0).subarray(0, 250) : ': nothing\n\n';
        stream(response).write(heard, () => response.destroy());
      },
    });
    let nowMs = 0;
    const timing = { ...hasty, now: () => (nowMs += 1_000) };
    const events = new Earshot({ url: gateway.url, timing }).events('ses_1', { patienceMs: 20_000 });
    const drained = (async () => {
      for await (const _event of events);
    })();
    await expect(drained).rejects.toMatchObject({ code: 'connection_lost' });
  });

  it('lets the reader stop, and closes the connection then', async () => {
    let closed = () => {};
    const disconnected = new Promise<void>((resolve) => {
      closed = resolve;
    });
    gateway = await streamingGateway({
      request: (_request, response) => {
        response.on('close', closed);
        stream(response).write(written(0).subarray(0, 250));
      },
    });
    for await (const event of new Earshot({ url: gateway.url }).events('ses_1')) {
      expect(event).toMatchObject({ seq: 1 });
      break;
    }
    await disconnected;
  });

  it('ends with the signal', async () => {
    gateway = await streamingGateway({
      request: (_request, response) => {
        stream(response).write(written(0).subarray(0, 250));
      },
    });
    const owner = new AbortController();
    const events = new Earshot({ url: gateway.url }).events('ses_1', { signal: owner.signal });
    await events.next();
    const next = events.next();
    owner.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });
});

describe('following the feed', () => {
  it('goes on from the cursor of the last event it read', async () => {
    const asked: (string | null)[] = [];
    gateway = await streamingGateway({
      request: (request, response) => {
        asked.push(new URL(request.url!, 'http://gateway').searchParams.get('after'));
        stream(response).write(`event: x\nid: c${asked.length}\ndata: ${JSON.stringify(log[0])}\n\n`, () =>
          response.destroy(),
        );
      },
    });
    const cursors: string[] = [];
    for await (const { cursor } of new Earshot({ url: gateway.url, timing: hasty }).feed()) {
      cursors.push(cursor);
      if (cursors.length === 3) break;
    }
    expect(cursors).toEqual(['c1', 'c2', 'c3']);
    expect(asked).toEqual([null, 'c1', 'c2']);
  });

  /** A feed that knows the cursors c1, c2 and c3, and tells of any other that it is too old. */
  const smallFeed = () =>
    streamingGateway({
      request: (request, response) => {
        const after = new URL(request.url!, 'http://gateway').searchParams.get('after') ?? '0';
        const at = ['0', 'c1', 'c2', 'c3'].indexOf(after);
        stream(response);
        if (at < 0) response.end('event: reset\ndata: {"type":"reset"}\n\n');
        else
          response.write(
            [1, 2, 3]
              .filter((seq) => seq > at)
              .map((seq) => `id: c${seq}\ndata: ${JSON.stringify({ seq })}\n\n`)
              .join(''),
          );
      },
    });

  it('goes on from the oldest event kept where its cursor is too old', async () => {
    gateway = await smallFeed();
    const read: unknown[] = [];
    const client = new Earshot({ url: gateway.url, timing: hasty });
    for await (const { event } of client.feed({ after: 'c-100' })) {
      read.push('seq' in event ? event.seq : event.type);
      if (read.length === 4) break;
    }
    expect(read).toEqual(['reset', 1, 2, 3]);
  });

  it('keeps its place in a store, and gives again what was not dealt with', async () => {
    gateway = await smallFeed();
    const client = new Earshot({ url: gateway.url, timing: hasty });
    let kept: string | null = null;
    const saved = {
      load: () => kept,
      save: async (cursor: string) => {
        kept = cursor;
      },
    };
    const read: string[] = [];
    for await (const { cursor } of client.feed({ after: 0, saved })) {
      read.push(cursor);
      if (cursor === 'c2') break;
    }
    expect(kept).toBe('c1');
    for await (const { cursor } of client.feed({ after: 0, saved })) {
      read.push(cursor);
      if (cursor === 'c3') break;
    }
    expect(read).toEqual(['c1', 'c2', 'c2', 'c3']);
    expect(kept).toBe('c2');
  });

  it('tells that its place cannot be kept', async () => {
    gateway = await smallFeed();
    const saved = {
      load: () => null,
      save: () => Promise.reject(new Error('the disk is full')),
    };
    const entries = new Earshot({ url: gateway.url, timing: hasty }).feed({ after: 0, saved });
    expect(await entries.next()).toMatchObject({ value: { cursor: 'c1' } });
    await expect(entries.next()).rejects.toThrow('the disk is full');
  });
});
