import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SUMMARISE } from '../../src/domain/options.ts';
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { EmbeddedLanguageModel, type EmbeddedOptions } from '../../src/llm/embedded.ts';
import type { LanguageModel, LlmPiece } from '../../src/llm/model.ts';
import { FakeClock } from '../support/fake-clock.ts';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'earshot-llm-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const NEWS =
  'The city council voted last night to close Bridge Street to cars from June. Shop owners had asked for a ' +
  'delay because they fear losing customers, but the mayor said the buses will run every five minutes.';
const never = new AbortController().signal;

async function hear(model: LanguageModel, transcript: string, signal = never, maxTokens = 24) {
  const pieces: LlmPiece[] = [];
  for await (const piece of model.generate({ ...SUMMARISE, transcript, maxTokens }, signal))
    pieces.push(piece);
  const text = pieces.map((piece) => (piece.kind === 'delta' ? piece.text : '')).join('');
  return { pieces, text, done: pieces.at(-1) };
}

const open = (options: Partial<EmbeddedOptions> = {}) =>
  new EmbeddedLanguageModel({
    folder: join(root, 'models/smollm2-135m-instruct'),
    stampFolder: scratch,
    clock: systemClock,
    contextTokens: 256,
    ...options,
  });

describe('the bundled model', () => {
  const model = open();
  afterAll(() => model.close());

  it('streams an answer about what was said, the same each time', async () => {
    const { pieces, text, done } = await hear(model, NEWS);
    expect(pieces.length).toBeGreaterThan(5);
    expect(text).toMatch(/Bridge Street/);
    expect(done).toMatchObject({ kind: 'done', finishReason: 'length', droppedChars: 0 });
    expect(done).toMatchObject({ usage: { promptTokens: expect.any(Number), completionTokens: 24 } });
    expect((await hear(model, NEWS)).text).toBe(text);
  });

  it('ends by itself, and never on an announcement', async () => {
    const { text, done } = await hear(model, NEWS, never, 100);
    expect(done).toMatchObject({ finishReason: 'stop' });
    expect(text.trim()).toMatch(/[^:]$/);
  });

  it('keeps the newest part of a transcript longer than its context', async () => {
    const { done } = await hear(model, 'We talked about the weather again. '.repeat(60) + NEWS);
    if (done?.kind !== 'done') throw new Error('there is no end');
    expect(done.droppedChars).toBeGreaterThan(500);
    expect(done.usage.promptTokens + 24).toBeLessThanOrEqual(256);
  });

  it('refuses instructions that leave no room', async () => {
    const request = { instructions: 'long '.repeat(300), transcript: NEWS, maxTokens: 8 };
    const pieces = model.generate(request, never);
    await expect(pieces.next()).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('answers one request after the other, and stops one that is aborted', async () => {
    const abort = new AbortController();
    const order: string[] = [];
    const first = (async () => {
      const request = { ...SUMMARISE, transcript: NEWS, maxTokens: 128 };
      for await (const piece of model.generate(request, abort.signal)) {
        if (order.push(`first ${piece.kind}`) === 2) abort.abort(new Error('enough'));
      }
    })();
    const second = hear(model, NEWS, never, 4).then(() => order.push('second'));
    await expect(first).rejects.toThrow('enough');
    await second;
    expect(order.slice(0, 2)).toEqual(['first delta', 'first delta']);
    expect(order.at(-1)).toBe('second');
    expect(order).not.toContain('first done');
  });

  it('turns to the next request when a reader leaves', async () => {
    for await (const piece of model.generate({ ...SUMMARISE, transcript: NEWS, maxTokens: 4096 }, never)) {
      expect(piece.kind).toBe('delta');
      break;
    }
    expect((await hear(model, NEWS, never, 4)).done).toMatchObject({ kind: 'done' });
  });

  it('is unavailable where its files are not there', async () => {
    const missing = open({ folder: join(scratch, 'nothing') });
    await expect(missing.load()).rejects.toMatchObject({ code: 'llm_unavailable' });
    await missing.close();
  });
});

describe('a model in a thread that misbehaves', () => {
  const moody = (clock: Clock = systemClock) =>
    open({ entry: new URL('../support/moody-llm-worker.mjs', import.meta.url), clock, maxWaiting: 1 });

  it('fails one request with llm_unavailable and answers the next', async () => {
    const model = moody();
    for (const mood of ['crash', 'throw']) {
      const failed = await hear(model, mood).catch((error) => error);
      expect(failed).toMatchObject({
        code: 'llm_unavailable',
        message: 'The language model could not answer.',
      });
      expect((await hear(model, 'fine')).text).toBe('fine');
    }
    await expect(model.load()).rejects.toMatchObject({ code: 'llm_unavailable' });
    await model.close();
  });

  it('refuses what exceeds its line', async () => {
    const model = moody();
    const abort = new AbortController();
    const inHand = hear(model, 'wedge', abort.signal).catch((error) => error.code);
    const inLine = hear(model, 'fine', abort.signal).catch((error) => error.name);
    await expect(hear(model, 'fine')).rejects.toMatchObject({ code: 'llm_overloaded' });
    abort.abort();
    expect(await inLine).toBe('AbortError');
    await model.close();
    await inHand;
  });

  it('ends a thread that does not stop when told', async () => {
    const clock = new FakeClock();
    const model = moody(clock);
    const abort = new AbortController();
    const wedged = hear(model, 'wedge', abort.signal).catch((error) => error.message);
    const next = hear(model, 'fine');
    await clock.advance(1);
    abort.abort(new Error('enough'));
    await clock.advance(10_000);
    expect(await wedged).toBe('enough');
    expect((await next).text).toBe('fine');
    expect(clock.waiting).toBe(0);
    await model.close();
  });
});
