/** How near the times of words are to the truth, in recorded speech whose words are known. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Word } from '../../src/domain/event.ts';
import { toSamples } from '../../src/domain/time.ts';
import type { Recogniser, Recognition, RecognitionRequest } from '../../src/whisper/recognition.ts';
import { concat, noise, readWav, seeded } from '../support/audio.ts';
import { sharedRecogniser } from '../support/recogniser.ts';
import { plain } from '../support/speech.ts';

const MAX_ERROR_MS = 120;
/** As loud as the rooms of the fixtures. */
const ROOM = 0.007;

/** Places in the fixtures right before the sound of a word. */
const CUTS: Readonly<Record<string, readonly [ms: number, word: string][]>> = {
  'austen-0870.wav': [
    [230, 'and'],
    [2250, 'leisure'],
    [2950, 'consider'],
    [4000, 'much'],
    [4400, 'there'],
  ],
  'austen-0880.wav': [
    [250, 'he'],
    [1150, 'an'],
  ],
  'austen-0920.wav': [
    [310, 'had'],
    [1490, 'amiable'],
    [2570, 'he'],
    [3860, 'still'],
  ],
};

let recogniser: Recogniser;
beforeAll(async () => {
  recogniser = await sharedRecogniser();
});

const recognise = (audio: Float32Array, more: Partial<RecognitionRequest> = {}): Promise<Recognition> =>
  recogniser.recognise({
    audio,
    language: 'en',
    likelyLanguage: null,
    prompt: null,
    prefix: null,
    draft: [],
    utterance: null,
    words: true,
    urgency: 'final',
    ...more,
  });

/** A fixture with pauses before the words it can be cut at, and when each of those words then starts. */
function spaced(file: string, pauseMs: () => number): { audio: Float32Array; truth: [string, number][] } {
  const speech = readWav(file);
  const cuts = CUTS[file]!;
  const truth: [string, number][] = [];
  const parts: Float32Array[] = [];
  let endMs = 0;
  for (const [at, [fromMs, word]] of cuts.entries()) {
    const toMs = cuts[at + 1]?.[0] ?? speech.length / 16;
    const pause = pauseMs();
    truth.push([word, endMs + pause]);
    parts.push(noise(pause / 1000, ROOM, at), speech.slice(toSamples(fromMs), toSamples(toMs)));
    endMs += pause + toMs - fromMs;
  }
  return { audio: concat([...parts, noise(0.3, ROOM)]), truth };
}

/** How far the start of each known word is off, in milliseconds; late is positive. */
function errors(words: readonly Word[], truth: readonly (readonly [string, number])[]): number[] {
  let from = 0;
  return truth.map(([word, startMs]) => {
    const candidates = words.slice(from).filter(({ text }) => plain(text) === word);
    if (candidates.length === 0)
      throw new Error(`${word} is not in: ${words.map(({ text }) => text).join(' ')}`);
    const off = candidates.map((candidate) => candidate.startMs - startMs);
    const least = off.reduce((best, next) => (Math.abs(next) < Math.abs(best) ? next : best));
    from = words.indexOf(candidates[off.indexOf(least)]!) + 1;
    return least;
  });
}

function expectInOrder(words: readonly Word[], audio: Float32Array): void {
  const times = words.flatMap(({ startMs, endMs }) => [startMs, endMs]);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.every(Number.isInteger)).toBe(true);
  expect(times.at(-1)).toBeLessThanOrEqual(audio.length / 16);
  for (const { confidence } of words) {
    expect(confidence).toBeGreaterThan(0);
    expect(confidence).toBeLessThanOrEqual(1);
  }
}

describe('word times', () => {
  it.each([200, 400, 800])('are right behind pauses of %i ms and more', async (leastMs) => {
    const random = seeded(leastMs);
    for (const file of Object.keys(CUTS)) {
      const { audio, truth } = spaced(file, () => leastMs + 10 * Math.floor(10 * random()));
      const { words, text } = await recognise(audio);
      expect(words!.map((word) => word.text).join(' ')).toBe(text);
      expectInOrder(words!, audio);
      const off = errors(words!, truth);
      for (const error of off) expect(Math.abs(error)).toBeLessThanOrEqual(MAX_ERROR_MS);
    }
  });

  it('are there for the prefix, too', async () => {
    const married = readWav('austen-0920.wav');
    const free = await recognise(married);
    const forced = await recognise(married, { prefix: 'HAD he married a more amiable woman,' });
    expect(forced.words!.map(({ text }) => text).join(' ')).toBe(forced.text);
    expect(forced.words![0]!.text).toBe('HAD');
    expectInOrder(forced.words!, married);
    for (const [at, word] of free.words!.entries())
      expect(Math.abs(word.startMs - forced.words![at]!.startMs)).toBeLessThanOrEqual(MAX_ERROR_MS);
  });

  it('are there in Hangul', async () => {
    const audio = readWav('espeak-ko.wav');
    const { words, text } = await recognise(audio, { language: 'ko' });
    expect(words!.map((word) => word.text).join(' ')).toBe(text);
    expectInOrder(words!, audio);
  });

  it('change nothing else, and are null where nobody asked', async () => {
    const audio = readWav('austen-0880.wav');
    const { words, ...timed } = await recognise(audio);
    expect(words).not.toBeNull();
    expect(await recognise(audio, { words: false })).toEqual({ ...timed, words: null });
  });

  it('are not made up where nobody spoke', async () => {
    const { words } = await recognise(noise(2, 0.002));
    expect(words).toEqual([]);
  });
});
