import { WhisperFeatureExtractor } from '@huggingface/transformers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_FRAMES, MelStream } from '../../src/whisper/mel.ts';
import { MAX_WINDOW_SAMPLES } from '../../src/whisper/recognition.ts';
import { samplesOf } from './speech.ts';

const speech = samplesOf('austen-0920.wav');

/** Speech over and over, each time a little quieter, so that no two seconds are alike. */
const longSpeech = Float32Array.from(
  { length: MAX_WINDOW_SAMPLES },
  (_, i) => speech[i % speech.length]! * (1 - i / MAX_WINDOW_SAMPLES),
);

function features(audio: Float32Array, melCount: number, frames = MAX_FRAMES): Float32Array {
  const mel = new MelStream(melCount);
  mel.append(audio);
  return mel.features(frames);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

describe.each([80, 128])('a log-mel spectrogram of %i mels', (melCount) => {
  const reference = new WhisperFeatureExtractor({
    feature_size: melCount,
    sampling_rate: 16_000,
    n_fft: 400,
    hop_length: 160,
    chunk_length: 30,
    n_samples: 480_000,
    nb_max_frames: 3000,
  });

  it.each([
    ['a sentence', speech],
    ['a syllable', speech.subarray(8000, 11_333)],
    ['one sample', Float32Array.of(0.5)],
    ['30 seconds to the last sample', longSpeech],
    ['almost 30 seconds', longSpeech.subarray(0, MAX_WINDOW_SAMPLES - 77)],
    ['silence', new Float32Array(32_000)],
  ])('is that of the reference for %s', async (_name, audio) => {
    const { input_features: expected } = await reference(audio);
    expect(largestDifference(features(audio, melCount), expected.data as Float32Array)).toBeLessThan(1e-4);
  });
});

describe('a growing spectrogram', () => {
  it('is the same however the audio arrives', () => {
    const whole = features(speech, 80, 700);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 12 }), (lengths) => {
        const mel = new MelStream(80);
        let at = 0;
        for (const length of [...lengths, speech.length]) {
          mel.append(speech.subarray(at, at + length));
          at = Math.min(speech.length, at + length);
          mel.features(100);
        }
        expect(mel.sampleCount).toBe(speech.length);
        expect(largestDifference(mel.features(700), whole)).toBe(0);
      }),
      { numRuns: 10 },
    );
  });

  it('gives the beginning of the same features where fewer frames are asked for', () => {
    const whole = features(speech, 80, 700);
    const part = features(speech, 80, 10);
    for (let mel = 0; mel < 80; mel++)
      expect(part.subarray(mel * 10, mel * 10 + 10)).toEqual(whole.subarray(mel * 700, mel * 700 + 10));
  });

  it('refuses more than 30 s', () => {
    const mel = new MelStream(80);
    mel.append(new Float32Array(MAX_WINDOW_SAMPLES));
    expect(() => mel.append(new Float32Array(1))).toThrow(RangeError);
  });
});
