/** The WebSocket over a real socket, with real speech and the real recogniser. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { openGateway, type TestGateway } from '../support/api.ts';
import { type Message, TestSocket } from '../support/socket.ts';
import { errorRate, pcmOf, silence, TRANSCRIPTS } from '../support/speech.ts';

const SAID = TRANSCRIPTS['austen-0880.wav']!.text;
const speech = Buffer.concat([silence(300), pcmOf('austen-0880.wav'), silence(900)]);

describe('the WebSocket', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway({
      env: { IDLE_MS: '1000', MAX_SESSION_MS: '10000', RESUME_WINDOW_MS: '30000' },
    });
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  const create = async (options: object = {}) => {
    const response = await fetch(`${url}/v1/sessions`, { method: 'POST', body: JSON.stringify(options) });
    return (await response.json()) as { id: string; stream: { url: string; token: string } };
  };
  const log = (id: string) => gateway.store.log.read(id, 0, 1000);
  const durable = (messages: readonly Message[]) => messages.filter((message) => 'seq' in message);

  it('takes audio and gives words while they are spoken, then a receipt, and closes', async () => {
    const { id, stream } = await create();
    const socket = new TestSocket(`${stream.url}?token=${stream.token}`);
    // The next stretch is only spoken once the last has been read: however slow the machine, there are partials.
    await socket.sendAudio(speech.subarray(0, 32 * 1600));
    await socket.next('transcript.partial');
    await socket.sendAudio(speech.subarray(32 * 1600, 32 * 3200));
    await socket.next('transcript.partial', ({ endMs }) => endMs > 2000);
    await socket.next('audio.ack');
    await socket.sendAudio(speech.subarray(32 * 3200));
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });

    expect(socket.messages[0]).toMatchObject({
      type: 'session.ready',
      sessionId: id,
      resumed: false,
      resumeFromSample: 0,
      audio: { encoding: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 },
      limits: { maxFrameBytes: 262_144, idleMs: 1000, maxSessionMs: 10_000 },
    });
    const types = socket.messages.map(({ type }) => type);
    expect(types.indexOf('speech.started')).toBeLessThan(types.indexOf('transcript.partial'));
    expect(socket.all('transcript.partial').length).toBeGreaterThanOrEqual(2);
    expect(types.lastIndexOf('transcript.partial')).toBeLessThan(types.indexOf('transcript.final'));
    const [final] = socket.all('transcript.final');
    expect(errorRate(final!.text, SAID)).toBeLessThanOrEqual(0.15);
    expect(final!.language).toBe('en');

    const { receipt } = socket.all('session.done')[0]!;
    expect(receipt).toMatchObject({ receivedMs: speech.length / 32, finals: 1, endedBy: 'client' });
    expect(receipt.transcribedMs + receipt.silenceMs + receipt.suppressedMs).toBe(receipt.receivedMs);
    expect(receipt.lastSeq).toBe(socket.all('session.done')[0]!.seq);

    expect(durable(socket.messages)).toEqual(await log(id));
    expect((await log(id)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const ack = socket.all('audio.ack').at(-1)!;
    expect(ack.receivedSamples).toBeGreaterThan(0);
    expect(ack.committedSamples).toBeLessThanOrEqual(ack.receivedSamples);
  });

  it('creates and streams in one step, at another rate and encoding', async () => {
    const socket = new TestSocket(
      `${url}/v1/stream?language=en&audio.sampleRateHz=8000&audio.channels=2&partials=false`,
    );
    const samples = new Int16Array(speech.buffer.slice(speech.byteOffset, speech.byteOffset + speech.length));
    const stereo = new Int16Array(samples.length);
    for (let at = 0; at < samples.length / 2; at++) stereo[2 * at] = stereo[2 * at + 1] = samples[2 * at]!;
    await socket.sendAudio(new Uint8Array(stereo.buffer), 1111);
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
    expect(socket.all('transcript.partial')).toEqual([]);
    expect(errorRate(socket.all('transcript.final')[0]!.text, SAID)).toBeLessThanOrEqual(0.3);
    expect(socket.all('session.done')[0]!.receipt.receivedMs).toBe(speech.length / 32);
  });

  it('acknowledges to the sample what it was sent, at a rate that does not divide its own', async () => {
    const socket = new TestSocket(`${url}/v1/stream?audio.sampleRateHz=44100&partials=false`);
    await socket.sendAudio(new Uint8Array(2 * 50_003 + 1), 1237);
    expect(await socket.next('audio.ack', (ack) => ack.receivedSamples >= 50_002)).toMatchObject({
      receivedSamples: 50_003,
    });
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
    expect(socket.all('session.done')[0]!.receipt).toMatchObject({ receivedMs: 1134 });
  });

  it('acknowledges a container too while it gives no sound yet', async () => {
    const socket = new TestSocket(`${url}/v1/stream?audio.encoding=container`);
    await socket.next('session.ready');
    await socket.next('audio.ack');
    const before = socket.all('audio.ack').length;
    socket.send(Buffer.from('RIFF'));
    await vi.waitFor(() => expect(socket.all('audio.ack').length).toBeGreaterThan(before), 5000);
    socket.socket.terminate();
  });

  it('selects the subprotocol and takes the token behind it', async () => {
    const { stream } = await create();
    const socket = new TestSocket(stream.url, { protocols: ['earshot', stream.token] });
    await socket.next('session.ready');
    expect(socket.socket.protocol).toBe('earshot');
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
  });

  it('ends an utterance when it is told to', async () => {
    const socket = new TestSocket(`${url}/v1/stream?partials=false`);
    await socket.sendAudio(speech.subarray(0, 32 * 2000));
    socket.send({ type: 'utterance.commit' });
    const final = await socket.next('transcript.final');
    expect(final.endMs).toBeLessThanOrEqual(2000);
    socket.send({ type: 'audio.end' });
    await socket.closed;
  });

  it('ends well when no audio came at all', async () => {
    const socket = new TestSocket(`${url}/v1/stream`);
    await socket.next('session.ready');
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
    expect(socket.all('session.done')[0]!.receipt).toMatchObject({ receivedMs: 0, finals: 0, lastSeq: 1 });
  });

  it('hears an end of audio whose client hangs up in the same breath', async () => {
    const { id, stream } = await create();
    const socket = new TestSocket(stream.url);
    await socket.sendAudio(silence(200));
    socket.send({ type: 'audio.end' });
    socket.socket.close();
    await vi.waitFor(async () => {
      expect((await log(id)).at(-1)).toMatchObject({ type: 'session.done', receipt: { endedBy: 'client' } });
    }, 5000);
  });

  it('answers an unknown message without ending the session, and a malformed one with 4400', async () => {
    const socket = new TestSocket(`${url}/v1/stream`);
    await socket.next('session.ready');
    socket.send({ type: 'dance' });
    expect(await socket.next('error')).toMatchObject({ code: 'bad_message', fatal: false });
    socket.send('{"type":');
    expect(await socket.next('error', ({ fatal }) => fatal)).toMatchObject({ code: 'bad_message' });
    expect(await socket.closed).toEqual({ code: 4400 });
  });

  it('refuses a frame beyond the limit with a reason, and cuts off one far beyond', async () => {
    const large = new TestSocket(`${url}/v1/stream`);
    await large.next('session.ready');
    large.send(new Uint8Array(262_145));
    expect(await large.next('error')).toMatchObject({ code: 'frame_too_large', fatal: true });
    expect(await large.closed).toEqual({ code: 1009 });
    const huge = new TestSocket(`${url}/v1/stream`);
    await huge.next('session.ready');
    huge.send(new Uint8Array(4 * 262_144 + 1));
    expect(await huge.closed).toEqual({ code: 1009 });
    expect(huge.all('error')).toEqual([]);
  });

  const REFUSED: [string, () => Promise<string>, number, string][] = [
    ['a session that is not there', async () => `${url}/v1/sessions/ses_none/stream`, 4404, 'not_found'],
    ['a forged token', async () => `${(await create()).stream.url}?token=ek_forged`, 4401, 'unauthorized'],
    [
      'a token of another session',
      async () => `${(await create()).stream.url}?token=${(await create()).stream.token}`,
      4401,
      'unauthorized',
    ],
    ['an unknown option', async () => `${url}/v1/stream?speed=2`, 4400, 'unsupported_option'],
    ['an option out of range', async () => `${url}/v1/stream?audio.channels=99`, 4400, 'bad_request'],
    ['a cursor that is none', async () => `${url}/v1/stream?after=x`, 4400, 'bad_request'],
    ['a cursor beyond all', async () => `${url}/v1/stream?after=2147483648`, 4400, 'bad_request'],
  ];
  for (const [what, address, close, code] of REFUSED)
    it(`refuses ${what} with ${close}, after the upgrade`, async () => {
      const socket = new TestSocket(await address());
      expect(await socket.next('error')).toMatchObject({ code, fatal: true });
      expect(await socket.closed).toEqual({ code: close });
    });

  it('tells the client to come back when the log cannot be read', async () => {
    const { log: events } = gateway.store;
    const read = events.read.bind(events);
    const away = new Failure('storage_unavailable', 'The database cannot be reached.');
    // The journal reads first, then what the connection follows.
    const spy = vi.spyOn(events, 'read').mockImplementationOnce(read).mockRejectedValueOnce(away);
    const socket = new TestSocket(`${url}/v1/stream`);
    expect(await socket.next('error')).toMatchObject({ code: 'storage_unavailable', retryAfterMs: 1000 });
    expect(await socket.closed).toEqual({ code: 1013 });
    spy.mockRestore();
  });

  it('refuses a page of another origin in the handshake', async () => {
    const socket = new TestSocket(`${url}/v1/stream`, { headers: { origin: 'https://evil.example' } });
    await expect(socket.closed).rejects.toThrow(/403/);
  });

  it('ends a session whose client sends nothing any more', async () => {
    const socket = new TestSocket(`${url}/v1/stream`);
    await socket.sendAudio(silence(100));
    expect(await socket.next('error')).toMatchObject({ code: 'idle_timeout', fatal: true });
    expect(await socket.closed).toEqual({ code: 4408 });
    expect(socket.all('session.done')[0]!.receipt).toMatchObject({ endedBy: 'timeout', receivedMs: 100 });
  });

  it('ends a session at its longest', async () => {
    const socket = new TestSocket(`${url}/v1/stream`);
    await socket.sendAudio(silence(11_000), 64_000);
    expect(await socket.next('error')).toMatchObject({ code: 'session_too_long', fatal: true });
    expect(await socket.closed).toEqual({ code: 4408 });
    expect(socket.all('session.done')[0]!.receipt.endedBy).toBe('limit');
  });

  it('closes when its session is deleted, and refuses one that has ended', async () => {
    const { id, stream } = await create();
    const socket = new TestSocket(stream.url, { protocols: ['earshot', stream.token] });
    await socket.sendAudio(silence(100));
    expect((await fetch(`${url}/v1/sessions/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await socket.closed).toEqual({ code: 4410 });

    const ended = await create();
    const first = new TestSocket(ended.stream.url);
    await first.next('session.ready');
    first.send({ type: 'audio.end' });
    await first.closed;
    const again = new TestSocket(ended.stream.url);
    expect(await again.next('error')).toMatchObject({ code: 'session_ended' });
    expect(await again.closed).toEqual({ code: 4410 });
  });

  it('fails a container that is none, keeping the session', async () => {
    const { id, stream } = await create({ audio: { encoding: 'container' } });
    const socket = new TestSocket(stream.url);
    await socket.sendAudio(
      Buffer.from('<!doctype html><p>this is no audio, whatever it was sent as</p>'.repeat(100)),
    );
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 4415 });
    expect(socket.all('error')[0]).toMatchObject({ code: 'audio_undecodable', fatal: true });
    expect((await log(id)).at(-1)).toMatchObject({
      type: 'session.failed',
      error: { code: 'audio_undecodable' },
    });
  });
});
