/** The bench finds speech by its energy, and scripts keep it where it says. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { speechIntervals } from '../../bench/audio/activity.ts';
import { readClips } from '../../bench/audio/clips.ts';
import { compose, enoughClips, SPARE_MS } from '../../bench/audio/script.ts';
import { wavOf } from '../../bench/audio/wav.ts';
import { seeded } from '../support/audio.ts';
import { fixture, pcmOf } from '../support/speech.ts';

const RATE_HZ = 16_000;

/** A tone where the list says, and quiet elsewhere. */
function tones(durationMs: number, ...stretches: readonly (readonly [number, number])[]): Int16Array {
  return Int16Array.from({ length: durationMs * 16 }, (_, i) => {
    const loud = stretches.some(([from, to]) => i >= from * 16 && i < to * 16);
    return Math.round((loud ? 8000 : 20) * Math.sin(i / 5));
  });
}

describe('speech in a clean recording', () => {
  it('is found to within a frame', () => {
    expect(speechIntervals(tones(3000, [500, 1200], [1800, 2600]), RATE_HZ)).toEqual([
      { startMs: 500, endMs: 1200 },
      { startMs: 1800, endMs: 2600 },
    ]);
  });

  it('includes its short gaps', () => {
    expect(speechIntervals(tones(2000, [500, 800], [1000, 1400]), RATE_HZ)).toEqual([
      { startMs: 500, endMs: 1400 },
    ]);
  });

  it('is no click', () => {
    expect(speechIntervals(tones(3000, [200, 240], [1000, 2000]), RATE_HZ)).toEqual([
      { startMs: 1000, endMs: 2000 },
    ]);
  });

  it.each([
    ['silence', new Int16Array(RATE_HZ)],
    ['nothing', new Int16Array(0)],
  ])('is not found in %s', (_name, pcm) => {
    expect(speechIntervals(pcm, RATE_HZ)).toEqual([]);
  });

  it('is found in every fixture, by their own account', () => {
    expect(readClips().map(({ name }) => name)).toEqual(['austen-0870', 'austen-0880', 'austen-0920']);
  });
});

describe('a script', () => {
  const clips = readClips();

  it('keeps the speech where it says', () => {
    const { pcm, speech, durationMs } = compose(clips, { leadMs: 512, pauseMs: 1024 });
    expect(pcm.length).toBe((durationMs + SPARE_MS) * 16);
    expect(speech).toHaveLength(3);
    for (const [i, clip] of clips.entries()) {
      const at = (speech[i]!.startMs - clip.speech[0]!.startMs) * 16;
      expect(
        Buffer.from(pcm.slice(at, at + clip.pcm.length).buffer).equals(Buffer.from(clip.pcm.buffer)),
      ).toBe(true);
    }
  });

  it('is as quiet between the clips as at their edges', () => {
    const { pcm, speech } = compose(clips, { leadMs: 500, pauseMs: 1000 });
    for (const [i, { endMs }] of speech.entries()) {
      const untilMs = speech[i + 1]?.startMs ?? pcm.length / 16;
      const quiet = pcm.subarray((endMs + 200) * 16, (untilMs - 200) * 16);
      expect(quiet.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThan(1200);
    }
  });

  it('is the same for the same seed, and uses every clip before it repeats one', () => {
    const order = (seed: number) => enoughClips(clips, 30_000, 1000, seeded(seed)).map(({ name }) => name);
    expect(order(1)).toEqual(order(1));
    expect(new Set(order(1).slice(0, 3)).size).toBe(3);
    expect(order(1).length).toBeGreaterThan(3);
  });
});

it('a WAV file has the header that the fixtures have', () => {
  const clip = readClips()[1]!;
  const original = readFileSync(fixture('austen-0880.wav'));
  expect(pcmOf('austen-0880.wav').length).toBe(clip.pcm.byteLength);
  expect(original.equals(wavOf(clip.pcm))).toBe(true);
});
