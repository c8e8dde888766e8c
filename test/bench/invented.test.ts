/** The sounds in which nobody says a word, and how what is heard in them is counted. */
import { describe, expect, it } from 'vitest';
import { wordCount } from '../../bench/invented/listen.ts';
import { underNoise } from '../../bench/invented/noise.ts';
import { goalsOf, reportOf } from '../../bench/invented/report.ts';
import { atDb, PIECE_SAMPLES, spliced } from '../../bench/invented/sound.ts';
import { chanceFor, KINDS, SOUNDS } from '../../bench/invented/sounds.ts';
import { same } from '../support/audio.ts';

const every = KINDS.flatMap((kind) => SOUNDS[kind].map((sound) => ({ kind, ...sound })));

const rms = (audio: Float32Array): number =>
  Math.sqrt(audio.reduce((sum, sample) => sum + sample * sample, 0) / audio.length);

/** The first seconds of a sound. */
function beginning(name: string, seed: number, seconds: number): Float32Array {
  const sound = every.find((other) => other.name === name)!.open(chanceFor(seed, name));
  const audio = new Float32Array(10 * seconds * PIECE_SAMPLES);
  for (let piece = 0; piece < 10 * seconds; piece++) audio.set(sound.next().value, piece * PIECE_SAMPLES);
  return audio;
}

describe('a sound', () => {
  it.each(every.map(({ name }) => name))(
    'is the same for the same seed, and never clips or breaks: %s',
    (name) => {
      const audio = beginning(name, 1, 2);
      expect(same(audio, beginning(name, 1, 2))).toBe(true);
      if (name !== 'zeroes') expect(rms(audio)).toBeGreaterThan(0);
      expect(audio.every((sample) => Math.abs(sample) < 1.5)).toBe(true);
    },
  );

  it.each(every.filter(({ kind, name }) => kind !== 'silence' && name.endsWith('dB')))(
    'is as loud as its name says: $name',
    ({ name }) => {
      const db = Number(/(-\d+) dB/.exec(name)![1]);
      expect(20 * Math.log10(rms(beginning(name, 1, 10)))).toBeGreaterThan(db - 3);
      expect(20 * Math.log10(rms(beginning(name, 1, 10)))).toBeLessThan(db + 3);
    },
  );

  it('goes on over the seams of what it is spliced of', () => {
    let next = 0;
    const sound = spliced(() => Float32Array.from({ length: 700 }, () => next++));
    const heard = [...sound.next().value, ...sound.next().value];
    expect(heard).toEqual(Array.from({ length: 2 * PIECE_SAMPLES }, (_, i) => i));
  });

  it('lies as far above the noise as asked', () => {
    const tone = Float32Array.from({ length: 32_000 }, (_, i) => 0.1 * Math.sin(i / 5));
    const mixed = underNoise(tone, 10, chanceFor(1, 'mixed'));
    const noise = mixed.map((sample, i) => sample - tone[i]!);
    expect(rms(tone) / rms(noise) / atDb(10)).toBeCloseTo(1, 0);
  });
});

describe('the words of a text', () => {
  it.each([
    ['', 0],
    ['♪', 0],
    ['Thank you.', 2],
    ['시청해주셔서 감사합니다', 2],
  ])('%s: %i', (text, expected) => {
    expect(wordCount(text)).toBe(expected);
  });
});

describe('the report', () => {
  const heard = (kind: 'noise' | 'music', words: number) => ({
    kind,
    name: 'one',
    listening: {
      seconds: 3600,
      utterances: 1,
      inventions: [
        { kind: 'final' as const, startMs: 0, text: 'you '.repeat(words), reason: null },
        { kind: 'suppressed' as const, startMs: 9, text: 'bye bye', reason: 'no_speech' },
      ],
    },
  });

  it.each([
    ['noise', 0, true],
    ['noise', 1, false],
    ['music', 5, true],
    ['music', 6, false],
  ] as const)('of %s with %i words; the goal is reached: %s', (kind, words, reached) => {
    expect(goalsOf([heard(kind, words)])).toMatchObject([{ reached }]);
    expect(reportOf([heard(kind, words)], false)).toContain(
      `| **${kind}** | 60.0 | 1 | 0 | ${words} | no_speech 1 |`,
    );
  });
});
