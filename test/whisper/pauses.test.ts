import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apartFromPauses, pausesOf } from '../../src/whisper/pauses.ts';
import { concat, noise, tone } from '../support/audio.ts';

describe('pauses', () => {
  it('are where it is much fainter than the speech, for longer than a stop', () => {
    const hush = (seconds: number) => noise(seconds, 0.001);
    const voice = (seconds: number) => tone(200, seconds);
    const stop = [voice(0.5), hush(0.06), voice(0.5)];
    const click = [hush(0.1), voice(0.03), hush(0.07 + 0.05)];
    const audio = concat([hush(0.3), ...stop, ...click, voice(0.3)]);
    expect(pausesOf(audio)).toEqual([
      { startMs: 0, endMs: 300 },
      { startMs: 1360, endMs: 1610 },
    ]);
  });

  it('are not found in noise, nor in nothing', () => {
    expect(pausesOf(noise(2, 0.1))).toEqual([]);
    expect(pausesOf(new Float32Array(0))).toEqual([]);
  });

  const word = (startMs: number, endMs: number) => ({ startMs, endMs });

  it.each([
    ['before the first word', [word(0, 400)], [word(0, 250)], [word(250, 400)]],
    ['behind the last word', [word(0, 400)], [word(300, 500)], [word(0, 300)]],
    ['between two words', [word(0, 400), word(400, 900)], [word(350, 600)], [word(0, 350), word(600, 900)]],
    ['after a border', [word(0, 400), word(400, 900)], [word(500, 700)], [word(0, 500), word(700, 900)]],
    ['short, far from any border', [word(0, 1000)], [word(400, 599)], [word(0, 1000)]],
    [
      'long, inside a word',
      [word(0, 400), word(400, 1800)],
      [word(650, 1000)],
      [word(0, 650), word(1000, 1800)],
    ],
    ['long, after all words', [word(0, 400)], [word(1000, 1500)], [word(0, 400)]],
    [
      'twice at one border',
      [word(0, 400), word(400, 900)],
      [word(300, 420), word(430, 600)],
      [word(0, 300), word(600, 900)],
    ],
  ])('are no part of a word: %s', (_where, words, pauses, expected) => {
    expect(apartFromPauses(words, pauses)).toEqual(expected);
  });

  it('leave words in order, and start before end', () => {
    const ascending = fc
      .array(fc.integer({ min: 0, max: 3000 }), { maxLength: 24 })
      .map((times) => times.sort((a, b) => a - b));
    fc.assert(
      fc.property(ascending, ascending, (borders, edges) => {
        const words = borders.slice(1).map((endMs, at) => word(borders[at]!, endMs));
        const pauses = edges.slice(1).flatMap((endMs, at) => (at % 2 ? [] : [word(edges[at]!, endMs)]));
        const times = apartFromPauses(words, pauses).flatMap(({ startMs, endMs }) => [startMs, endMs]);
        expect(times).toHaveLength(2 * words.length);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        for (const time of times) expect(time).toBeLessThanOrEqual(3000);
      }),
    );
  });
});
