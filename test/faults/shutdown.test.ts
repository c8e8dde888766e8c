/**
 * SIGTERM in the midst of it all (G.38): what is being said is stored and told, clients go on at the next process, a
 * recording too, and the process ends by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { TestSocket } from '../support/socket.ts';
import { chanceFor, keepResult, times } from './effort.ts';
import { CuttingProxy } from './support/cutting-proxy.ts';
import { KnowingTranscriber } from './support/knowing-transcriber.ts';
import { MS_BYTES, type Talk, talkOf } from './support/known-speech.ts';
import { Speaker } from './support/speaker.ts';

const SESSIONS = times(5, 50);
const FACTOR = times(4, 2);
const UTTERANCES = 3;
/** The clip that has just been spoken when the signal comes. */
const IN_FLIGHT = 1;
/** More than is heard at a time, several times over. */
const RECORDED = 24;

const chance = chanceFor('shutdown');

interface Status {
  readonly path: '/live' | '/ready';
  readonly status: number;
  readonly afterMs: number;
}

/** Asks for both until nobody answers any more. */
async function watch(url: string): Promise<Status[]> {
  const startedMs = performance.now();
  const seen: Status[] = [];
  const ask = async (path: Status['path']) => {
    const { status } = await fetch(url + path, { headers: { connection: 'close' } });
    seen.push({ path, status, afterMs: Math.round(performance.now() - startedMs) });
  };
  try {
    for (;;) {
      await Promise.all([ask('/live'), ask('/ready')]);
      await sleep(20);
    }
  } catch {
    return seen;
  }
}

describe('SIGTERM with live sessions', () => {
  let transcriber: KnowingTranscriber;
  let gateway: RunningGateway;
  let street: CuttingProxy;
  let env: Record<string, string>;
  beforeAll(async () => {
    transcriber = await KnowingTranscriber.start();
    env = { ...transcriber.settings, STT_CONCURRENCY: '6' };
    gateway = await startGateway({ env });
    street = await CuttingProxy.start([gateway.url]);
  });
  afterAll(async () => {
    await street.close();
    await gateway.stop();
    await transcriber.close();
  });

  const upload = async ({ audio }: Talk): Promise<string> => {
    const form = new FormData();
    form.set('options', JSON.stringify({ language: 'en', audio: { encoding: 'pcm_s16le' } }));
    form.set('file', new Blob([audio]), 'talk.raw');
    const response = await fetch(`${gateway.url}/v1/sessions`, { method: 'POST', body: form });
    return ((await response.json()) as { id: string }).id;
  };
  const read = async (id: string) => {
    const session = await (await fetch(`${gateway.url}/v1/sessions/${id}`)).json();
    return session as { state: string; utterances: { text: string }[]; receipt: { receivedMs: number } };
  };
  const eventsOf = async (id: string): Promise<{ seq?: number; type: string }[]> => {
    const text = await (await fetch(`${gateway.url}/v1/sessions/${id}/events`)).text();
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
    return events.filter((event) => 'seq' in event);
  };

  it('stores what is being said, and goes on after a restart', { timeout: 600_000 }, async () => {
    transcriber.thinkMs = 500;
    const speakers = await Promise.all(
      Array.from({ length: SESSIONS }, () =>
        Speaker.start(street.url, talkOf(UTTERANCES, chance), { factor: FACTOR }),
      ),
    );
    const talk = talkOf(1, chance);
    const socket = new TestSocket(`${gateway.url}/v1/stream?language=en&partials=false`);
    const recorded = talkOf(RECORDED, chance);
    await Promise.all(speakers.map((speaker) => speaker.speakThrough(IN_FLIGHT)));
    await socket.sendAudio(talk.audio.subarray(0, talk.said[0]!.endMs * MS_BYTES));
    const recording = await upload(recorded);
    // Everybody was heard as far as nothing is missing but what is in flight.
    const finalsOf = (speaker: Speaker) => speaker.durable.filter(({ type }) => type === 'transcript.final');
    await vi.waitFor(async () => {
      for (const speaker of speakers) {
        expect(finalsOf(speaker).length).toBe(IN_FLIGHT);
        expect(speaker.events.filter(({ type }) => type === 'speech.started').length).toBe(IN_FLIGHT + 1);
      }
      expect((await read(recording)).utterances.length).toBeGreaterThan(0);
    }, 120_000);
    await socket.next('speech.started');
    expect((await read(recording)).state).toBe('IN_PROGRESS');

    const startedMs = performance.now();
    const watching = watch(gateway.url);
    const code = await gateway.terminate();
    const tookMs = Math.round(performance.now() - startedMs);
    const seen = await watching;
    expect(code).toBe(0);
    const closing = seen.find(({ path, status }) => path === '/ready' && status === 503);
    expect(closing).toBeDefined();
    expect(seen.filter(({ path }) => path === '/live').map(({ status }) => status)).not.toContain(503);
    expect(await socket.next('error')).toMatchObject({ code: 'shutting_down', fatal: true });
    expect(await socket.closed).toEqual({ code: 1012 });
    expect(socket.all('transcript.final').map(({ text }) => text)).toEqual([talk.said[0]!.text]);
    for (const speaker of speakers) expect(finalsOf(speaker).length).toBe(IN_FLIGHT + 1);

    const { dataDir } = gateway;
    gateway = await startGateway({ env, dataDir });
    street.retarget([gateway.url]);
    transcriber.thinkMs = 0;
    const faults: string[] = [];
    await Promise.all(
      speakers.map(async (speaker) => {
        faults.push(...speaker.faults(await speaker.finish()));
        expect(await eventsOf(speaker.stream.sessionId)).toEqual(speaker.durable);
      }),
    );
    expect(faults).toEqual([]);
    await vi.waitFor(async () => expect((await read(recording)).state).toBe('DONE'), 120_000);
    const { utterances, receipt } = await read(recording);
    expect(utterances.map(({ text }) => text)).toEqual(recorded.said.map(({ text }) => text));
    expect(receipt.receivedMs).toBe(recorded.audio.length / MS_BYTES);
    expect((await eventsOf(recording)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: RECORDED + 2 }, (_, at) => at + 1),
    );
    keepResult(
      'G38',
      `${SESSIONS} sessions and a recording: /ready 503 after ${closing!.afterMs} ms, ended after ${tookMs} ms with ${code}, 0 faults`,
    );
  });
});
