/** Whisper's other task: what was said in any language, in English. */
import { describe, expect, it } from 'vitest';
import { decodeFile } from '../../src/audio/frames.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { type DecoderPass, decode, taskTokens } from '../../src/whisper/decoding.ts';
import type { RecognitionRequest } from '../../src/whisper/recognition.ts';
import { concat, fixture } from '../support/audio.ts';
import { sharedRecogniser } from '../support/recogniser.ts';
import { toyConfig as config, END, KO, NO_TIMESTAMPS, START, TRANSCRIBE, VOCABULARY } from './toy-decoder.ts';

const TRANSLATE = config.tokens.translate!;
const asked: Omit<RecognitionRequest, 'audio'> = {
  language: null,
  likelyLanguage: null,
  prompt: null,
  prefix: null,
  draft: [],
  utterance: null,
  words: false,
  urgency: 'final',
};

async function french(): Promise<Float32Array> {
  const format = { encoding: 'container', sampleRateHz: 16_000, channels: 1 } as const;
  const frames: Float32Array[] = [];
  const path = fixture('fr-only-participant.wav');
  const parts = { clock: systemClock, ffmpeg: null, maxDurationMs: 60_000 };
  for await (const frame of decodeFile(path, format, parts)) frames.push(frame);
  return concat(frames);
}

describe('the task', () => {
  it('is told to the decoder behind the language, given or detected', async () => {
    const request = { likelyLanguage: null, prompt: [], prefix: [], draft: [], isTooNew: null, seconds: 3 };
    for (const language of ['ko', null])
      for (const [task, token] of [
        ['transcribe', TRANSCRIBE],
        ['translate', TRANSLATE],
        [undefined, TRANSCRIBE],
      ] as const) {
        const fed: number[] = [];
        const pass: DecoderPass = async (tokens, _position, rows) => {
          fed.push(...tokens);
          return rows.map(() => {
            const row = new Float32Array(VOCABULARY);
            row[KO] = 20;
            row[fed.length > 4 ? END : 1] = 20;
            return row;
          });
        };
        await decode(
          pass,
          config,
          { ...request, language, ...(task && { task }) },
          new AbortController().signal,
        );
        expect(fed.slice(0, 4)).toEqual([START, KO, token, NO_TIMESTAMPS]);
      }
  });

  it('is none that English-only models are told of', () => {
    const tokens = { ...config.tokens, transcribe: null, translate: null };
    expect(taskTokens({ ...config, languages: {}, tokens }, 'en', 'translate')).toEqual([NO_TIMESTAMPS]);
  });
});

describe('a translation', () => {
  it('is English, and tells the language that was spoken', async () => {
    const recogniser = await sharedRecogniser();
    expect(recogniser.translates).toBe(true);
    const audio = await french();
    const said = await recogniser.recognise({ ...asked, audio });
    expect(said).toMatchObject({ language: 'fr', text: expect.stringMatching(/participant dans cette/) });
    for (const language of [null, 'fr']) {
      const meant = await recogniser.recognise({ ...asked, audio, language, task: 'translate', words: true });
      expect(meant).toMatchObject({
        language: 'fr',
        suppressed: null,
        text: expect.stringMatching(/\bonly participant\b.*\bconference\b/),
      });
      expect(meant.words!.map(({ text }) => text).join(' ')).toBe(meant.text);
    }
  });

  it('begins with what was settled of it', async () => {
    const recogniser = await sharedRecogniser();
    const audio = await french();
    const prefix = 'You are currently the';
    const meant = await recogniser.recognise({ ...asked, audio, task: 'translate', prefix });
    expect(meant.text.startsWith(prefix)).toBe(true);
    expect(meant.text).toMatch(/\bparticipant\b/);
  });
});
