/** WebSockets that are opened badly, used badly, or left without a word (D.24, D.26, D.27). */

import { readdir, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { TestSocket } from '../support/socket.ts';
import { silence } from '../support/speech.ts';
import { chanceFor, isLong, keepResult, times } from './effort.ts';
import { HANDSHAKES, type Handshake, shakeHands } from './support/broken-handshakes.ts';
import { CuttingProxy } from './support/cutting-proxy.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { talkOf } from './support/known-speech.ts';
import { gauge } from './support/metrics.ts';
import { Speaker } from './support/speaker.ts';

const COUNT = times(100, 5000);
const AT_ONCE = 50;
/** What the first ones leave behind is there for good, and does not grow: code that is compiled, buffers that are kept. */
const WARM_UP = times(0, 500);
/** Connections that are kept for the next request: those of the test, and the gateway's to the transcriber. */
const KEPT_ALIVE = 10;
const KEY = 'a-key-that-nobody-else-knows';

const chance = chanceFor('sockets');

let transcriber: KnowingTranscriber;
beforeAll(async () => {
  transcriber = await KnowingTranscriber.start();
});
afterAll(() => transcriber.close());

/** Bytes of JavaScript's heap that are in use after everything that can go has gone: a snapshot makes sure of that. */
async function heapInUse({ pid, dataDir, url }: RunningGateway): Promise<number> {
  const snapshots = async () => (await readdir(dataDir)).filter((name) => name.endsWith('.heapsnapshot'));
  process.kill(pid, 'SIGWINCH');
  await vi.waitFor(async () => {
    if ((await snapshots()).length === 0) throw new Error('there is no snapshot yet');
  }, 60_000);
  const bytes = await gauge(url, 'nodejs_heap_size_used_bytes');
  for (const name of await snapshots()) await rm(join(dataDir, name));
  return bytes;
}

describe.concurrent('handshakes that go wrong', () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    const env = { ...transcriber.settings, API_KEYS: KEY, NODE_OPTIONS: '--heapsnapshot-signal=SIGWINCH' };
    gateway = await startGateway({ env });
  });
  afterAll(() => gateway.stop());

  /** So many of them, some at a time. @returns How each kind was answered, as far as it was. */
  async function trouble(count: number): Promise<Map<Handshake, string[]>> {
    const told = new Map<Handshake, string[]>(HANDSHAKES.map((how) => [how, []]));
    const left: Socket[] = [];
    let next = 0;
    const work = async () => {
      while (next++ < count) {
        const how = HANDSHAKES[Math.floor(HANDSHAKES.length * chance())]!;
        const { told: text, socket } = await shakeHands(gateway.url, how, chance);
        told.get(how)!.push(text);
        left.push(socket);
        // As many as that hang at a time; then the oldest are gone.
        if (left.length > 4 * AT_ONCE) left.shift()!.destroy();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const socket of left) socket.destroy();
    return told;
  }

  it('leave the gateway as it was, and everybody else served', { timeout: 900_000 }, async ({ expect }) => {
    const { url } = gateway;
    await (await Speaker.start(url, talkOf(1, chance), { factor: 4, apiKey: KEY })).finish();
    await trouble(WARM_UP);
    const openFiles = () => gauge(url, 'process_open_fds');
    const filesBefore = await openFiles();
    const heapBefore = isLong ? await heapInUse(gateway) : 0;
    const delaysMs: number[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        const startedMs = performance.now();
        expect((await fetch(`${url}/live`, { headers: { connection: 'close' } })).status).toBe(200);
        delaysMs.push(performance.now() - startedMs);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    const speaker = await Speaker.start(url, talkOf(2, chance), { factor: 4, apiKey: KEY });
    const [told, receipt] = await Promise.all([trouble(COUNT), speaker.finish()]);
    isOver = true;
    await asking;

    expect(speaker.faults(receipt)).toEqual([]);
    for (const text of told.get('bad_token')!) expect(text).toContain('"code":"unauthorized"');
    for (const text of told.get('garbage')!) expect(text).toMatch(/^(HTTP\/1\.1 400|$)/);
    await vi.waitFor(
      async () => expect(await openFiles()).toBeLessThanOrEqual(filesBefore + KEPT_ALIVE),
      60_000,
    );
    expect(gateway.output.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
    const heapAfter = isLong ? await heapInUse(gateway) : 0;
    delaysMs.sort((a, b) => a - b);
    const p99 = delaysMs[Math.floor(0.99 * delaysMs.length)]!;
    const heap = isLong ? `heap ${Math.round((100 * heapAfter) / heapBefore)} %, ` : '';
    keepResult('D27', `${COUNT} handshakes, 0 crashes, ${heap}/live p99 ${Math.round(p99)} ms`);
    if (isLong) expect(heapAfter).toBeLessThanOrEqual(1.1 * heapBefore);
  });
});

describe.concurrent('a connection', () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: { ...transcriber.settings, IDLE_MS: '600000' } });
  });
  afterAll(() => gateway.stop());

  const create = async (url = gateway.url): Promise<string> => {
    const response = await fetch(`${url}/v1/sessions`, { method: 'POST' });
    return ((await response.json()) as { stream: { url: string } }).stream.url;
  };

  it('is closed with 4409 by a second one, which goes on', async ({ expect }) => {
    const address = await create();
    const first = new TestSocket(address);
    await first.sendAudio(silence(500));
    const second = new TestSocket(address);
    expect(await first.next('error')).toMatchObject({ code: 'replaced', fatal: true });
    expect(await first.closed).toEqual({ code: 4409 });
    const { resumeFromSample } = await second.next('session.ready');
    await second.sendAudio(silence(1000).subarray(2 * resumeFromSample));
    second.send({ type: 'audio.end' });
    expect(await second.closed).toEqual({ code: 1000 });
    expect(second.all('session.done')[0]!.receipt).toMatchObject({ receivedMs: 1000, endedBy: 'client' });
  });

  it('is closed with 1009 where a frame is too large, and its session can be gone on with', async ({
    expect,
  }) => {
    const address = await create();
    const large = new TestSocket(address);
    const { limits } = await large.next('session.ready');
    large.send(new Uint8Array(limits.maxFrameBytes + 1));
    expect(await large.next('error')).toMatchObject({ code: 'frame_too_large', fatal: true });
    expect(await large.closed).toEqual({ code: 1009 });
    const huge = new TestSocket(address);
    await huge.next('session.ready');
    huge.send(new Uint8Array(16 * limits.maxFrameBytes));
    expect(await huge.closed).toEqual({ code: 1009 });
    const right = new TestSocket(address);
    await right.sendAudio(silence(500));
    right.send({ type: 'audio.end' });
    expect(await right.closed).toEqual({ code: 1000 });
  });

  it('whose peer is gone without a word is found out', { timeout: 120_000 }, async ({ expect }) => {
    const street = await CuttingProxy.start([gateway.url]);
    const socket = new TestSocket(await create(street.url));
    await socket.sendAudio(silence(500));
    await socket.next('audio.ack');
    street.cut('client_told', 'forward');
    const startedMs = performance.now();
    const readers = () => gauge(gateway.url, 'readers');
    expect(await readers()).toBeGreaterThan(0);
    await vi.waitFor(async () => expect(await readers()).toBe(0), { timeout: 100_000, interval: 500 });
    keepResult(
      'D26',
      `a dead peer was found out after ${Math.round((performance.now() - startedMs) / 1000)} s`,
    );
    await street.close();
  });
});
