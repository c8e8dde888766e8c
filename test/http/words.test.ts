/** `words: true` from end to end: a recording and a socket, with the real recogniser. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Word } from '../../src/domain/event.ts';
import { sessionSchema } from '../../src/http/schemas.ts';
import { openGateway, type TestGateway } from '../support/api.ts';
import { TestSocket } from '../support/socket.ts';
import { fixture, pcmOf, silence } from '../support/speech.ts';

/** When "He was" and "an ill-disposed" begin in the fixture. */
const HE_MS = 260;
const AN_MS = 1160;
const MAX_ERROR_MS = 120;

describe('words with times', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway();
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  interface Timed {
    readonly text: string;
    readonly startMs: number;
    readonly endMs: number;
    readonly words?: readonly Word[] | undefined;
  }

  function expectWords({ text, startMs, endMs, words }: Timed, offsetMs: number): void {
    expect(words!.map((word) => word.text).join(' ')).toBe(text);
    expect(words![0]!.startMs).toBeGreaterThanOrEqual(startMs);
    expect(words!.at(-1)!.endMs).toBeLessThanOrEqual(endMs);
    const offBy = (word: Word, ms: number) => Math.abs(word.startMs - offsetMs - ms);
    expect(offBy(words![0]!, HE_MS)).toBeLessThanOrEqual(MAX_ERROR_MS);
    expect(offBy(words![3]!, AN_MS)).toBeLessThanOrEqual(MAX_ERROR_MS);
  }

  it('are in the utterances of a recording', async () => {
    const body = new FormData();
    body.set('file', new Blob([readFileSync(fixture('austen-0880.wav'))]), 'speech.wav');
    body.set('options', JSON.stringify({ words: true, language: 'en' }));
    const { id } = (await (await fetch(`${url}/v1/sessions`, { method: 'POST', body })).json()) as {
      id: string;
    };
    const session = await vi.waitFor(
      async () => {
        const read = sessionSchema.parse(await (await fetch(`${url}/v1/sessions/${id}`)).json());
        expect(read.state).toBe('DONE');
        return read;
      },
      { timeout: 60_000, interval: 100 },
    );
    expect(session.utterances).toHaveLength(1);
    expectWords(session.utterances[0]!, 0);
  });

  it('are in the finals of a live session, on its clock', async () => {
    const socket = new TestSocket(`${url}/v1/stream?language=en&words=true`);
    const speech = [silence(700), pcmOf('austen-0880.wav'), silence(900)];
    await socket.sendAudio(Buffer.concat(speech));
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
    const finals = socket.all('transcript.final');
    expect(finals).toHaveLength(1);
    expectWords(finals[0] as never, 700);
  });

  it('are not sent unasked', async () => {
    const socket = new TestSocket(`${url}/v1/stream?language=en&partials=false`);
    await socket.sendAudio(Buffer.concat([pcmOf('austen-0880.wav'), silence(900)]));
    socket.send({ type: 'audio.end' });
    await socket.closed;
    expect(socket.all('transcript.final')[0]).not.toHaveProperty('words');
  });
});
