/** The client against a real gateway, with what only a real one can answer. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Earshot } from '../../src/client/earshot.ts';
import type { SessionEvent } from '../../src/domain/event.ts';
import { KnowingTranscriber } from '../faults/support/knowing-transcriber.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { fixture, pcmOf, silence, TRANSCRIPTS } from '../support/speech.ts';

const CLIP = 'austen-0880.wav';
const { text } = TRANSCRIPTS[CLIP]!;
const MAX_UPLOAD_BYTES = 1_000_000;

let transcriber: KnowingTranscriber;
let gateway: RunningGateway;
let client: Earshot;
/** Serves the clip, and takes webhooks once `takes` is set. */
let site: Server;
let takes = false;
let origin: string;

beforeAll(async () => {
  transcriber = await KnowingTranscriber.start();
  gateway = await startGateway({
    env: {
      ...transcriber.settings,
      MAX_UPLOAD_BYTES: String(MAX_UPLOAD_BYTES),
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 3).toString('base64')}`,
      WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
    },
  });
  client = new Earshot({ url: gateway.url, WebSocket });
  const wav = await readFile(fixture(CLIP));
  site = createServer((request, response) => {
    if (request.method === 'GET') response.end(wav);
    else request.resume().on('end', () => response.writeHead(takes ? 204 : 503).end());
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await gateway?.stop();
  await transcriber?.close();
  site?.close();
});

const clip = async (): Promise<Blob> => new Blob([await readFile(fixture(CLIP))]);

describe('the client at a real gateway', () => {
  it('streams a source to its end and reads every event', async () => {
    const stream = await client.stream({ language: 'en' });
    await stream.sendAll([silence(300), pcmOf(CLIP), silence(1_000)]);
    const receipt = stream.end();
    const events: SessionEvent[] = [];
    for await (const event of stream) events.push(event);
    const finals = events.filter((event) => event.type === 'transcript.final');
    expect(finals.map((final) => final.text)).toEqual([text]);
    const seqs = events.flatMap((event) => ('seq' in event ? [event.seq] : []));
    expect(seqs).toEqual(seqs.map((_, at) => at + 1));
    expect((await receipt).lastSeq).toBe(seqs.length);
  });

  it('transcribes a recording, and one that it names by its address', async () => {
    const progress: number[] = [];
    const session = await client.transcribe(
      await clip(),
      { language: 'en' },
      { onProgress: ({ sentBytes }) => progress.push(sentBytes) },
    );
    expect(session).toMatchObject({ state: 'DONE', text });
    expect(progress.at(-1)).toBe((await clip()).size);
    const once = { idempotencyKey: 'recording-17' };
    const first = await client.fetchRecording(`${origin}/clip.wav`, { language: 'en' }, once);
    const again = await client.fetchRecording(`${origin}/clip.wav`, { language: 'en' }, once);
    expect(again.id).toBe(first.id);
    expect(await client.finished(first.id)).toMatchObject({ state: 'DONE', text });
  });

  it('opens one session for one key', async () => {
    const once = { idempotencyKey: 'session-17' };
    const [first, again] = [await client.createSession({}, once), await client.createSession({}, once)];
    expect(again.id).toBe(first.id);
    expect(again.stream.token).not.toBe(first.stream.token);
  });

  it('tells that a recording is too large by its code, though it is still being sent', async () => {
    const large = new Blob([new Uint8Array(8 * MAX_UPLOAD_BYTES)]);
    await expect(client.upload(large, { audio: { encoding: 'pcm_s16le' } })).rejects.toMatchObject({
      code: 'payload_too_large',
      status: 413,
    });
  });

  it('throws the failure of a recording with its session', async () => {
    const flac = await readFile(fixture('containers/speech.flac'));
    const damaged = new Blob([flac.subarray(0, 60), new Uint8Array(5_000)]);
    await expect(client.transcribe(damaged)).rejects.toMatchObject({
      code: 'audio_undecodable',
      session: { state: 'FAILED' },
    });
  });

  it('tells what came of a webhook, and has it sent again', async () => {
    const { id } = await client.transcribe(await clip(), {
      language: 'en',
      webhook: { url: `${origin}/hook` },
    });
    await expect
      .poll(() => client.deliveries(id), { timeout: 60_000 })
      .toMatchObject([{ attempt: 1, status: 503 }]);
    takes = true;
    await client.redeliver(id);
    await expect.poll(async () => (await client.session(id)).state, { timeout: 60_000 }).toBe('SENT');
    expect((await client.deliveries(id)).at(-1)).toMatchObject({ status: 204, error: null });
  });
});
