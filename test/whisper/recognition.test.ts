/** What the packed int8 model hears, in speech and where there is none. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Recogniser, Recognition, RecognitionRequest } from '../../src/whisper/recognition.ts';
import { sharedRecogniser } from '../support/recogniser.ts';
import { errorRate, TRANSCRIPTS } from '../support/speech.ts';
import { samplesOf } from './speech.ts';

const MAX_ERROR_RATE = 0.08;

let recogniser: Recogniser;
beforeAll(async () => {
  recogniser = await sharedRecogniser();
});

const recognise = (audio: Float32Array, more: Partial<RecognitionRequest> = {}): Promise<Recognition> =>
  recogniser.recognise({
    audio,
    language: null,
    likelyLanguage: null,
    prompt: null,
    prefix: null,
    draft: [],
    utterance: null,
    words: false,
    urgency: 'final',
    ...more,
  });

const married = samplesOf('austen-0920.wav');

describe('recorded speech', () => {
  it('is heard almost word for word, its language told from the sound', async () => {
    const heard: string[] = [];
    const said: string[] = [];
    for (const [file, { text, language }] of Object.entries(TRANSCRIPTS)) {
      const recognition = await recognise(samplesOf(file));
      expect(recognition).toMatchObject({ language, suppressed: null });
      expect(recognition.confidence).toBeGreaterThan(0.7);
      expect(recognition.confidence).toBeLessThanOrEqual(1);
      heard.push(recognition.text);
      said.push(text);
    }
    expect(errorRate(heard.join(' '), said.join(' '))).toBeLessThanOrEqual(MAX_ERROR_RATE);
  });

  it('is heard the same in a view of a larger buffer', async () => {
    const around = new Float32Array(married.length + 10_000).fill(0.5);
    around.set(married, 5_000);
    const view = around.subarray(5_000, 5_000 + married.length);
    expect(await recognise(view)).toEqual(await recognise(married));
  });

  it('is heard as it was when asked, though its buffer is written over meanwhile', async () => {
    const expected = await recognise(married);
    const buffer = married.slice();
    const busy = recognise(samplesOf('austen-0880.wav'));
    const recognition = recognise(buffer);
    buffer.fill(0);
    expect(await recognition).toEqual(expected);
    await busy;
  });

  it('is read in part while it is spoken', async () => {
    const { text } = await recognise(married.subarray(0, 2.7 * 16_000), { urgency: 'partial' });
    expect(text).toMatch(/^Had he married a more amiable woman/);
  });

  it('is heard to the end over a full window', async () => {
    const [leisure, disposed] = [samplesOf('austen-0870.wav'), samplesOf('austen-0880.wav')];
    const pause = new Float32Array(4_800);
    const parts = [leisure, pause, disposed, pause, married, pause, leisure, pause, disposed];
    const { text, suppressed } = await recognise(Float32Array.from(parts.flatMap((part) => [...part])));
    expect(suppressed).toBeNull();
    expect(text.match(/Dashwood|young man|respectable/g)).toEqual([
      'Dashwood',
      'young man',
      'respectable',
      'Dashwood',
      'young man',
    ]);
  });
});

describe('what the client says beforehand', () => {
  it('is believed: the language', async () => {
    expect((await recognise(married, { language: 'ko' })).language).toBe('ko');
  });

  it('is believed: the language, in Hangul', async () => {
    const { text, language } = await recognise(samplesOf('espeak-ko.wav'), { language: 'ko' });
    expect(language).toBe('ko');
    expect(text.replace(/[^\p{L}]/gu, '')).toBe('감사합니다안녕히계세요');
  });

  it('is refused where the model does not know it', async () => {
    await expect(recognise(married, { language: 'tlh' })).rejects.toMatchObject({
      code: 'unsupported_option',
    });
  });

  it('steers the spelling: the prompt', async () => {
    const leisure = samplesOf('austen-0870.wav');
    expect((await recognise(leisure)).text).not.toContain('Dashwoode');
    const { text } = await recognise(leisure, {
      prompt: 'Mister Dashwoode and the Dashwoodes of Norland Park. Mister John Dashwoode.',
    });
    expect(text).toContain('Dashwoode');
  });

  it('is kept letter for letter: the prefix', async () => {
    const prefix = 'HAD he married a more amiable';
    const { text } = await recognise(married, { prefix });
    expect(text).toMatch(/^HAD he married a more amiable woman,? .* than he was\.$/);
  });

  it('may not steer the decoder by special tokens in the prompt', async () => {
    const { text } = await recognise(married, { prompt: '<|endoftext|><|startoftranscript|><|ko|>' });
    expect(text).toMatch(/^Had he married/);
  });
});

describe('where nobody speaks', () => {
  /** The same noise every time (Numerical Recipes' generator). */
  function noise(seconds: number, amplitude: number): Float32Array {
    let state = 1;
    return Float32Array.from({ length: seconds * 16_000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return (amplitude * state) / 2 ** 31;
    });
  }
  const hum = (seconds: number) =>
    Float32Array.from(
      { length: seconds * 16_000 },
      (_, i) => 0.1 * Math.sin((2 * Math.PI * 50 * i) / 16_000),
    );

  it.each([
    ['silence', new Float32Array(2 * 16_000), null],
    ['silence', new Float32Array(2 * 16_000), 'ko'],
    ['no audio at all', new Float32Array(0), null],
    ['faint noise', noise(8, 0.002), null],
    ['loud noise', noise(2, 0.3), null],
    ['loud noise', noise(8, 0.3), 'ko'],
    ['the hum of mains', hum(2), null],
    ['the hum of mains', hum(28), 'ko'],
  ])('no text comes through: %s (%#)', async (_name, audio, language) => {
    const { text, suppressed } = await recognise(audio, { language });
    expect(text === '' || suppressed !== null).toBe(true);
  });
});
