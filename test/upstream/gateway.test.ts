/** The built gateway with a recogniser elsewhere: real speech in, the words of a fake endpoint out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeTranscriber } from '../support/fake-transcriber.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { TestSocket } from '../support/socket.ts';
import { pcmOf, silence } from '../support/speech.ts';

const SPOKEN = Buffer.concat([pcmOf('austen-0880.wav'), silence(900)]);
/** Two seconds. */
const MIDDLE_BYTES = 64_000;

describe('a gateway with STT=openai', () => {
  let fake: FakeTranscriber;
  let gateway: RunningGateway;
  beforeAll(async () => {
    fake = await FakeTranscriber.start();
    const STT_BASE_URL = fake.url;
    gateway = await startGateway({
      env: { STT: 'openai', STT_BASE_URL, STT_MODEL: 'large-elsewhere', LLM: 'off' },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await fake.close();
  });

  /** @param first What to wait for in the middle. */
  const speak = async (query = '', first?: string) => {
    const socket = new TestSocket(`${gateway.url}/v1/stream?language=en${query}`);
    await socket.sendAudio(SPOKEN.subarray(0, MIDDLE_BYTES));
    if (first) await socket.next(first);
    await socket.sendAudio(SPOKEN.subarray(MIDDLE_BYTES));
    socket.send({ type: 'audio.end' });
    await socket.closed;
    return socket;
  };

  // There is no such model here: looking for one would have kept it from starting.
  it('names the upstream model, and looks for none of its own', async () => {
    const ready = await (await fetch(`${gateway.url}/ready`)).json();
    expect(ready).toMatchObject({ status: 'ready', model: 'large-elsewhere' });
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toMatch(/^earshot_recogniser_workers 4$/m);
  });

  it('tells what the endpoint heard, none of it settled before the final', async () => {
    fake.answerBy(({ file }) => {
      const seconds = (file.bytes.length - 44) / 32_000;
      const text = `Heard ${seconds.toFixed(1)} seconds of it.`;
      const words = [{ word: 'Heard', start: 0.5, end: 0.9 }];
      const segments = [{ avg_logprob: -0.2, no_speech_prob: 0.1 }];
      return { kind: 'answer', body: { text, language: 'english', segments, words } };
    });
    const socket = await speak('&words=true', 'transcript.partial');
    expect(socket.messages.find(({ type }) => type === 'session.started')!.model).toBe('large-elsewhere');
    const settled = new Set(socket.all('transcript.partial').map(({ stableChars }) => stableChars));
    expect(settled).toEqual(new Set([0]));
    const finals = socket.all('transcript.final');
    expect(finals.length).toBeGreaterThan(0);
    for (const { text, confidence, words, startMs } of finals) {
      expect(text).toMatch(/^Heard \d\.\d seconds of it\.$/);
      expect(confidence).toBeCloseTo(Math.exp(-0.2));
      expect(words).toEqual([
        { text: 'Heard', startMs: startMs + 500, endMs: startMs + 900, confidence: null },
      ]);
    }
    expect(socket.all('session.done')).toHaveLength(1);
  });

  it('ends the session with a failure that repeats nothing of the endpoint', async () => {
    fake.script({ kind: 'refuse', status: 401, message: 'key sk-123 is wrong' });
    const socket = await speak();
    expect(socket.all('session.failed')[0]!.error).toEqual({
      code: 'recognition_failed',
      message: 'The speech recogniser would not take the request.',
    });
    const logged = gateway.output.find((line) => line.includes('the upstream recogniser failed'));
    expect(logged).toContain('the endpoint 401');
    expect(gateway.output.join() + JSON.stringify(socket.messages)).not.toContain('sk-123');
  });
});
