/** The recogniser on real threads: what it does when they die, are told to stop, or cannot begin. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import { systemClock } from '../../src/flow/clock.ts';
import type { Thread } from '../../src/flow/thread.ts';
import type { ModelPlan } from '../../src/whisper/model.ts';
import { WorkPool } from '../../src/whisper/pool.ts';
import { openRecogniser, recognitionThread, threadRunner } from '../../src/whisper/recogniser.ts';
import type { RecognitionRequest } from '../../src/whisper/recognition.ts';
import type { WorkerApi } from '../../src/whisper/worker.ts';
import { cacheFolder } from '../support/recogniser.ts';
import { modelFolder } from './model-folder.ts';
import { samplesOf } from './speech.ts';

const request: RecognitionRequest = {
  audio: samplesOf('austen-0920.wav'),
  language: 'en',
  likelyLanguage: null,
  prompt: null,
  prefix: null,
  draft: [],
  utterance: null,
  words: false,
  urgency: 'final',
};
const job = { allowanceMs: 0, refusable: false };

const threads: Thread<WorkerApi>[] = [];
afterEach(() => Promise.all(threads.splice(0).map((thread) => thread.close())));

async function startThread(): Promise<{ thread: Thread<WorkerApi>; plan: ModelPlan }> {
  const thread = recognitionThread('test');
  threads.push(thread);
  const prepared = await thread.call('prepare', [modelFolder, cacheFolder]);
  if (prepared.kind === 'unusable') throw new Error(prepared.message);
  await thread.call('load', [prepared.plan]);
  return { thread, plan: prepared.plan };
}

describe('a recognition thread', () => {
  it('that dies at work is replaced, and the work done again', async () => {
    const { thread, plan } = await startThread();
    const pool = new WorkPool([threadRunner(thread, plan)], {
      clock: systemClock,
      maxWaiting: 4,
      maxJobMs: 60_000,
    });
    const recognition = pool.submit(request, job);
    await thread.restart();
    expect((await recognition).text).toMatch(/^Had he married/);
    expect((await pool.submit(request, job)).text).toMatch(/^Had he married/);
  });

  it('that dies again over the same work fails it, and serves the next', async () => {
    const { thread, plan } = await startThread();
    const runner = threadRunner(thread, plan);
    let deaths = 0;
    const deadly = {
      ...runner,
      run: (...args: Parameters<typeof runner.run>) => {
        const running = runner.run(...args);
        if (deaths++ < 2) void thread.restart();
        return running;
      },
    };
    const pool = new WorkPool([deadly], { clock: systemClock, maxWaiting: 4, maxJobMs: 60_000 });
    await expect(pool.submit(request, job)).rejects.toMatchObject({ code: 'recognition_failed' });
    expect((await pool.submit(request, job)).text).toMatch(/^Had he married/);
  });

  it('stops between two tokens when told to', async () => {
    const { thread, plan } = await startThread();
    const abort = new AbortController();
    const stopped = thread.call('transcribe', [plan, request], { signal: abort.signal });
    abort.abort();
    await expect(stopped).rejects.toThrow(/abort/);
    expect((await thread.call('transcribe', [plan, request])).text).toMatch(/^Had he married/);
  });
});

describe('a recogniser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recogniser-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('works on every thread at once, rejects what is aborted, and ends with its threads', async () => {
    const recogniser = await openRecogniser({ modelFolder, cacheFolder, workers: 2, clock: systemClock });
    expect(recogniser.modelName).toBe('whisper-base');
    expect(recogniser.languages).toEqual(expect.arrayContaining(['en', 'ko', 'ja', 'zh']));

    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    const two = [recogniser.recognise(request), recogniser.recognise(request)];
    const third = recogniser.recognise(request, abort.signal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(recogniser.load()).toMatchObject({ workers: 2, running: 2, waiting: 1 });
    abort.abort(reason);
    await expect(third).rejects.toBe(reason);
    for (const { text } of await Promise.all(two)) expect(text).toMatch(/^Had he married/);
    expect(recogniser.load()).toMatchObject({ workers: 2, running: 0, waiting: 0 });

    const cutOff = recogniser.recognise(request).catch((error: Failure) => error.code);
    await recogniser.close();
    expect(await cutOff).toBe('shutting_down');
    await expect(recogniser.recognise(request)).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('refuses partials and recordings when its queue is full, never finals', async () => {
    const recogniser = await openRecogniser({
      modelFolder,
      cacheFolder,
      workers: 1,
      clock: systemClock,
      maxWaiting: 1,
    });
    const codes = ['partial', 'partial', 'recording', 'partial', 'final', 'final'] as const;
    const outcomes = await Promise.all(
      codes.map((urgency) =>
        recogniser.recognise({ ...request, urgency }).then(
          () => 'heard',
          (error: Failure) => error.code,
        ),
      ),
    );
    expect(outcomes).toEqual(['heard', 'heard', 'overloaded', 'overloaded', 'heard', 'heard']);
    await recogniser.close();
  });

  it('does not open on a folder without a model, and says what is missing', async () => {
    mkdirSync(join(folder, 'empty'));
    const opening = openRecogniser({
      modelFolder: join(folder, 'empty'),
      cacheFolder,
      workers: 2,
      clock: systemClock,
    });
    await expect(opening).rejects.toMatchObject({ name: 'ModelError', reason: 'missing' });
    await expect(opening).rejects.toThrow('config.json');
  });
});
