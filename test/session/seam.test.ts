import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { continuing } from '../../src/session/continuation.ts';
import { beforeCut } from '../../src/session/seam.ts';
import type { Recogniser, RecognitionRequest } from '../../src/whisper/recognition.ts';

/** Words of the same length one after the other, and audio that is faint only at their borders. */
function spoken(texts: readonly string[], wordMs: number) {
  const words = texts.map((text, at) => ({
    text,
    startMs: at * wordMs,
    endMs: (at + 1) * wordMs,
    confidence: 0.9,
  }));
  const audio = Float32Array.from({ length: texts.length * wordMs * 16 }, (_, sample) => {
    const inWord = (sample / 16) % wordMs;
    return inWord < 20 || inWord > wordMs - 20 ? 0 : 0.5;
  });
  return { text: texts.join(' '), words, audio };
}

/** Hears just what the script says, which begins with what it must begin with. */
function scripted(text: string, wordMs = 100): { recogniser: Recogniser; asked: RecognitionRequest[] } {
  const asked: RecognitionRequest[] = [];
  const recogniser: Recogniser = {
    modelName: 'scripted',
    languages: ['en'],
    keepsPrefix: true,
    recognise: async (request) => {
      asked.push(request);
      const words = text.split(' ').map((word, at) => ({
        text: word,
        startMs: wordMs * at,
        endMs: wordMs * (at + 1),
        confidence: 0.9,
      }));
      return { text, words, language: 'en', confidence: 0.9, tokens: [], suppressed: null };
    },
    load: () => ({ workers: 1, running: 0, waiting: 0, capacity: null }),
    close: async () => {},
  };
  return { recogniser, asked };
}

const request = (audio: Float32Array, prefix: string | null = null): RecognitionRequest => ({
  audio,
  prefix,
  language: 'en',
  likelyLanguage: null,
  prompt: null,
  draft: [],
  utterance: null,
  words: true,
  urgency: 'final',
});

describe('a cut', () => {
  const texts = ['he', 'was', 'not', 'an', 'ill', 'disposed', 'young', 'man'];

  it('gives a word to the side on which most of it lies', () => {
    const { audio, ...heard } = spoken(texts, 500);
    expect(beforeCut(heard, audio, 2_700, '')).toMatchObject({ text: 'he was not an ill' });
    expect(beforeCut(heard, audio, 2_800, '')).toMatchObject({ text: 'he was not an ill disposed' });
  });

  it('takes nothing back that was settled', () => {
    const { audio, ...heard } = spoken(texts, 500);
    const before = beforeCut(heard, audio, 2_000, 'he was not an ill disp')!;
    expect(before.text).toBe('he was not an ill disposed');
    expect(before.text.endsWith(before.carried!.text)).toBe(true);
  });

  it('carries over words from where it is quiet between two of them', () => {
    const { audio, ...heard } = spoken(texts, 500);
    const faintAt = 2_500 * 16;
    const room = audio.map((sample, at) => (Math.abs(at - faintAt) < 320 ? 0 : sample + 0.1));
    const { carried } = beforeCut(heard, room, 4_000, '')!;
    expect(carried!.text).toBe('disposed young man');
    expect(Math.abs(carried!.lead / 16 - 1_500)).toBeLessThanOrEqual(30);
  });

  it('is not made where the words are not known', () => {
    const { audio, text } = spoken(texts, 500);
    expect(beforeCut({ text, words: null }, audio, 1_000, '')).toBeNull();
  });

  it('loses and doubles no word, wherever it is and whatever was settled', () => {
    const cases = fc.record({
      texts: fc.array(fc.constantFrom('a', 'bb', 'man,', '사람', '“so'), {
        minLength: 1,
      }),
      wordMs: fc.integer({ min: 60, max: 900 }),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      settled: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.asyncProperty(cases, async ({ texts, wordMs, cut, settled }) => {
        const { audio, ...heard } = spoken(texts, wordMs);
        const cutMs = cut * texts.length * wordMs;
        const promised = heard.text.slice(0, settled * heard.text.length);
        const before = beforeCut(heard, audio, cutMs, promised)!;
        expect(heard.text.startsWith(before.text)).toBe(true);
        expect(before.text.length).toBeGreaterThanOrEqual(promised.trimEnd().length);
        const { carried } = before;
        if (carried === null) return;
        expect(before.text.endsWith(carried.text)).toBe(true);
        expect(carried.lead).toBeGreaterThan(0);
        // What is heard anew begins with the carried words and goes on to the end.
        const again = heard.text.slice(before.text.length - carried.text.length);
        const { recogniser } = scripted(again);
        const next = continuing(recogniser, Promise.resolve(carried), carried.lead);
        const { text, words } = await next.recognise(request(new Float32Array(carried.lead + 160)));
        expect([before.text, text].filter(Boolean).join(' ')).toBe(heard.text);
        expect(words!.map((word) => word.text).join(' ')).toBe(text);
      }),
    );
  });
});

describe('what goes on from a cut', () => {
  it('is heard with the words before it, and told without them', async () => {
    const { recogniser, asked } = scripted('young man, who was');
    const next = continuing(recogniser, Promise.resolve({ text: 'young man', lead: 3_200 }), 8_000);
    const heard = await next.recognise(request(new Float32Array(16_000)));
    expect(asked[0]).toMatchObject({ prefix: 'young man' });
    expect(asked[0]!.audio).toHaveLength(16_000 - 8_000 + 3_200);
    expect(heard.text).toBe('who was');
    expect(heard.words).toMatchObject([
      { text: 'who', startMs: 0, endMs: 100 },
      { text: 'was', startMs: 100, endMs: 200 },
    ]);
  });

  it('keeps what was settled of it, with what joins it to the words before', async () => {
    const { recogniser, asked } = scripted('young man, who was');
    const next = continuing(recogniser, Promise.resolve({ text: 'young man', lead: 3_200 }), 8_000);
    await next.recognise(request(new Float32Array(16_000)));
    const heard = await next.recognise(request(new Float32Array(16_000), 'who'));
    expect(asked[1]).toMatchObject({ prefix: 'young man, who' });
    expect(heard.text).toBe('who was');
  });

  it('is heard from the cut on where nothing is carried over', async () => {
    const { recogniser, asked } = scripted('who was');
    const next = continuing(recogniser, Promise.resolve(null), 8_000);
    const heard = await next.recognise(request(new Float32Array(16_000), 'who'));
    expect(asked[0]).toMatchObject({ prefix: 'who' });
    expect(asked[0]!.audio).toHaveLength(8_000);
    expect(heard.text).toBe('who was');
  });

  it.each([
    ['was passed over', 'young man who was', 1_000],
    ['was not heard at all', 'young man', 100],
  ])('is heard once more, from the cut on, where speech %s', async (_, text, wordMs) => {
    const { recogniser, asked } = scripted(text, wordMs);
    const next = continuing(recogniser, Promise.resolve({ text: 'young man', lead: 3_200 }), 8_000);
    await next.recognise(request(new Float32Array(64_000), 'who'));
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ prefix: 'who', draft: [], utterance: null });
    expect(asked[1]!.audio).toHaveLength(56_000);
  });
});
