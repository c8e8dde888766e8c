/** What the bench makes of numbers, words and events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../bench/live/meter.ts';
import { type Arrival, measureSession } from '../../bench/measure/session.ts';
import { percentile, summarise } from '../../bench/measure/statistics.ts';
import { editsOf, pooled, rateOf, wordErrors } from '../../bench/measure/words.ts';

describe('a percentile', () => {
  it.each([
    [[3, 1, 2], 50, 2],
    [[1, 2], 50, 1.5],
    [[10, 20, 30, 40, 50], 95, 48],
    [[7], 95, 7],
    [[1, 2, 3], 0, 1],
    [[1, 2, 3], 100, 3],
  ])('of %j at %i is %f', (values, p, expected) => {
    expect(percentile(values, p)).toBeCloseTo(expected);
  });

  it('lies between the least and the greatest, and grows with p', () => {
    const values = fc.array(fc.integer(), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.nat(100), fc.nat(100), (list, p, q) => {
        const [low, high] = [percentile(list, Math.min(p, q)), percentile(list, Math.max(p, q))];
        expect(low).toBeGreaterThanOrEqual(Math.min(...list));
        expect(low).toBeLessThanOrEqual(high);
        expect(high).toBeLessThanOrEqual(Math.max(...list));
      }),
    );
  });

  it('of nothing is refused, and its summary is none', () => {
    expect(() => percentile([], 50)).toThrow(RangeError);
    expect(summarise([])).toBeNull();
  });
});

describe('words', () => {
  it.each([
    ['He was not.', 'he was not', 0, 3],
    ['he was not an old man', 'He was not an ill-disposed young man.', 3, 8],
    ['', 'one two', 2, 2],
    ['one two three', 'two', 2, 1],
  ])('%j for %j has errors: %i of %i', (heard, said, errors, referenceWords) => {
    expect(wordErrors(heard, said)).toEqual({ errors, referenceWords });
  });

  it('weigh the same in a short text and in a long one', () => {
    const texts = [wordErrors('one', 'two'), wordErrors('a b c d e f g h i', 'a b c d e f g h i')];
    expect(rateOf(pooled(texts))).toBe(0.1);
  });

  it.each([
    ['had he', 'had he married', 0],
    ['how do you', 'had he married a more', 3],
    ['he was not an idiot', 'he was not an ill', 1],
    ['he was an', 'he was not an ill', 1],
    ['he was not', 'he was', 1],
    ['', 'he', 0],
  ])('%j shown before %j were edited: %i', (before, after, edits) => {
    expect(editsOf(before, after)).toBe(edits);
  });
});

describe('a session', () => {
  const common = { sessionId: 'ses_1', at: '2026-01-01T00:00:00.000Z' };
  const partial = (atMs: number, utteranceId: string, startMs: number, endMs: number, text: string) =>
    ({
      atMs,
      event: { ...common, type: 'transcript.partial', utteranceId, startMs, endMs, text, stableChars: 0 },
    }) satisfies Arrival;
  const final = (atMs: number, utteranceId: string, startMs: number, endMs: number, text: string) =>
    ({
      atMs,
      event: {
        ...common,
        ...{ type: 'transcript.final', seq: 2, utteranceId, startMs, endMs, text },
        ...{ language: 'en', confidence: 0.9 },
      },
    }) satisfies Arrival;
  const script = {
    text: 'One two. Three four.',
    speech: [
      { startMs: 500, endMs: 1500 },
      { startMs: 3000, endMs: 4000 },
    ],
  };

  it('is measured against the sound, utterance by utterance', () => {
    const measures = measureSession(script, [
      partial(1000, 'a', 400, 900, 'won'),
      partial(1400, 'a', 400, 1300, 'one too'),
      final(2100, 'a', 400, 1600, 'One two.'),
      final(4700, 'b', 2900, 4100, 'Three for.'),
    ]);
    expect(measures).toEqual({
      heard: 'One two. Three for.',
      words: { errors: 1, referenceWords: 4 },
      invented: 0,
      utterances: [
        {
          firstPartialMs: 500,
          finalMs: 600,
          partials: 2,
          partialAgesMs: [100, 100],
          edits: 2,
          finalWords: 2,
        },
        { firstPartialMs: null, finalMs: 700, partials: 0, partialAgesMs: [], edits: 0, finalWords: 2 },
      ],
    });
  });

  it('may have one final for two stretches of speech', () => {
    const { utterances } = measureSession(script, [final(4600, 'a', 400, 4100, 'one two three four')]);
    expect(utterances.map(({ finalMs }) => finalMs)).toEqual([600]);
  });

  it('counts a final where nobody spoke as invented', () => {
    const { invented, utterances, words } = measureSession(script, [
      final(2100, 'a', 400, 1600, 'one two'),
      final(2900, 'b', 2000, 2400, 'thank you'),
      final(4600, 'c', 2900, 4100, 'three four'),
    ]);
    expect(invented).toBe(1);
    expect(utterances).toHaveLength(2);
    expect(words.errors).toBe(2);
  });
});

it('metrics are read by their names, without those that have labels', () => {
  const text = '# HELP a_total A.\n# TYPE a_total counter\na_total 1.5\nb{kind="x"} 2\nc_bytes 3e9\n';
  expect([...parseMetrics(text)]).toEqual([
    ['a_total', 1.5],
    ['c_bytes', 3e9],
  ]);
});
