import { afterEach, describe, expect, it } from 'vitest';
import { Earshot } from '../../src/client/earshot.ts';
import { type StreamingGateway, streamingGateway } from './streaming-gateway.ts';

let gateway: StreamingGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  gateway = null;
});

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n += 1) yield new Uint8Array(1_000).fill(n);
}

describe('uploading a recording', () => {
  it('sends options and file as a form, and tells how far it is', async () => {
    let form: FormData | null = null;
    let key: string | string[] | undefined;
    gateway = await streamingGateway({
      request: async (request, response, body) => {
        key = request.headers['idempotency-key'];
        const headers = { 'content-type': request.headers['content-type']! };
        form = await new Response(new Uint8Array(body), { headers }).formData();
        response.writeHead(202).end(JSON.stringify({ id: 'ses_2' }));
      },
    });
    const progress: number[] = [];
    const session = await new Earshot({ url: gateway.url }).upload(
      { name: 'a "quoted"\r\nname.wav', sizeBytes: 3_000, bytes: pieces(3) },
      { language: 'ko' },
      { idempotencyKey: 'once', onProgress: ({ sentBytes }) => progress.push(sentBytes) },
    );
    expect(session.id).toBe('ses_2');
    expect(key).toBe('once');
    expect(form!.get('options')).toBe('{"language":"ko"}');
    const file = form!.get('file') as File;
    expect(file.name).toBe('a "quoted"\r\nname.wav');
    const sent = new Uint8Array(await file.arrayBuffer());
    expect([sent.length, sent[0], sent[2_999]]).toEqual([3_000, 0, 2]);
    expect(progress).toEqual([1_000, 2_000, 3_000]);
  });

  it('throws the problem of the gateway', async () => {
    gateway = await streamingGateway({
      request: (_request, response) => {
        response
          .writeHead(415, { 'content-type': 'application/problem+json' })
          .end(JSON.stringify({ code: 'audio_undecodable', title: 'no known audio' }));
      },
    });
    await expect(new Earshot({ url: gateway.url }).upload(new Blob(['text']))).rejects.toMatchObject({
      code: 'audio_undecodable',
      status: 415,
    });
  });

  it('does not take a file that cannot be read for a gateway that cannot be reached', async () => {
    gateway = await streamingGateway({});
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      throw new Error('disk error');
    }
    const upload = new Earshot({ url: gateway.url }).upload({ name: 'x', bytes: broken() });
    await expect(upload).rejects.toThrow('disk error');
  });
});

describe('calling the gateway', () => {
  it('keeps a prefix in its address, and sends the key', async () => {
    let seen: unknown;
    gateway = await streamingGateway({
      request: ({ url, headers }, response) => {
        seen = [url, headers.authorization];
        response.end('{"items":[],"nextCursor":null}');
      },
    });
    const client = new Earshot({ url: `${gateway.url}/speech`, apiKey: 'secret' });
    await client.sessions({ state: 'DONE', limit: 5 });
    expect(seen).toEqual(['/speech/v1/sessions?state=DONE&limit=5', 'Bearer secret']);
  });

  it('recognises an address where something else answers', async () => {
    gateway = await streamingGateway({
      request: ({ url }, response) => {
        response.writeHead(url!.endsWith('teapot') ? 418 : 200).end('<html>');
      },
    });
    const client = new Earshot({ url: gateway.url });
    await expect(client.session('ses_1')).rejects.toMatchObject({ code: 'unexpected_answer' });
    await expect(client.session('teapot')).rejects.toMatchObject({ code: 'unexpected_answer', status: 418 });
  });

  it('passes on how long to wait', async () => {
    gateway = await streamingGateway({
      request: (_request, response) => {
        response.writeHead(503, { 'retry-after': '7' }).end('{"code":"overloaded"}');
      },
    });
    await expect(new Earshot({ url: gateway.url }).session('ses_1')).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: 7_000,
    });
  });
});
