import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncoderMemories, EncoderMemory } from '../../src/whisper/encoder-memory.ts';
import { type Effort, encoderWindow, NOTHING_KNOWN } from '../../src/whisper/encoder-window.ts';
import type { WhisperConfig } from '../../src/whisper/weights/config.ts';

const TOTAL = 1500;
const seconds = fc.integer({ min: 1, max: 3000 }).map((hundredths) => hundredths / 100);
const effort = fc.constantFrom<Effort>('quick', 'thorough');
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

describe('a window of the encoder', () => {
  it('stands for all of 30 s, whatever is known already', () => {
    fc.assert(
      fc.property(seconds, effort, fc.nat(1500), fc.nat(1500), (length, kind, positions, firstRun) => {
        const runs = Array.from({ length: 75 }, (_, i) => 20 * i).filter((start) => start >= firstRun);
        const real = Math.min(TOTAL, Math.ceil((length + 0.1) * 50));
        // What was known came from a beginning of this audio: its silent runs reach back to before its end.
        const known = { positions, runs: runs[0]! <= real ? runs : [] };
        const window = encoderWindow(length, kind, known, TOTAL);
        expect(window.keyBias).toHaveLength(
          window.knownRuns + window.knownPositions + window.positions.length,
        );
        expect(sum(window.keyBias.map(Math.exp))).toBeCloseTo(TOTAL, 1);
        expect(Number(window.positions[0])).toBe(window.knownPositions);
        expect(Number(window.positions.at(-1))).toBeLessThan(TOTAL);
      }),
    );
  });

  it('encodes the last second, what is new and a little silence of a known utterance, and no more', () => {
    const known = { positions: 200, runs: Array.from({ length: 63 }, (_, i) => 240 + 20 * i) };
    const window = encoderWindow(5.3, 'quick', known, TOTAL);
    expect(window).toMatchObject({ knownPositions: 200, lead: 2, knownRuns: 61, freshRuns: [] });
    expect(window.positions).toHaveLength(270 - 200);
  });

  it('encodes the silence anew, and more of the speech, for what stays', () => {
    const known = { positions: 215, runs: [280, 300] };
    const window = encoderWindow(5.3, 'thorough', known, TOTAL);
    expect(window).toMatchObject({ knownPositions: 165, knownRuns: 0 });
    expect(window.positions).toHaveLength(290 - 165 + Math.ceil((1500 - 290) / 20));
  });

  it('encodes everything where nothing is known', () => {
    const window = encoderWindow(2, 'quick', NOTHING_KNOWN, TOTAL);
    expect(window).toMatchObject({ knownPositions: 0, lead: 0, knownRuns: 0, freshPositions: 105 });
    expect(window.freshRuns[0]).toBe(120);
    expect(window.positions).toHaveLength(105 + 69);
  });
});

const config = { dModel: 2, mels: 80, maxSourcePositions: TOTAL } as WhisperConfig;

/** Rows that say which position they are of. */
const rowsOf = (positions: BigInt64Array): Float32Array =>
  Float32Array.from([...positions].flatMap((position) => [Number(position), 0.5]));
const positionsOf = (rows: Float32Array): number[] => [...rows].filter((_, i) => i % 2 === 0);

describe('the memory of an utterance', () => {
  it('gives back what stands in the window, each position in its place, however the utterance grows', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 2, maxLength: 12 }), (steps) => {
        const memory = new EncoderMemory(config, 1);
        let hundredths = 0;
        let runs: number[] = [];
        for (const step of steps) {
          hundredths = Math.min(3000, hundredths + step);
          const window = memory.window(hundredths / 100, 'quick');
          const past = memory.past(window);
          expect(past.rows).toBe(window.knownRuns + window.knownPositions);
          const known = positionsOf(past.tensors[0]!);
          expect(known.slice(window.knownRuns)).toEqual([...Array(window.knownPositions).keys()]);
          expect(known.slice(0, window.knownRuns)).toEqual(runs.slice(runs.length - window.knownRuns));
          memory.keep(window, [rowsOf(window.positions)], hundredths / 100);
          if (window.freshRuns.length > 0)
            runs = [...window.positions].map(Number).slice(window.freshPositions);
        }
      }),
    );
  });

  it('computes features for what is new, and anew where the end was taken back', () => {
    const memory = new EncoderMemory(config, 1);
    const audio = Float32Array.from({ length: 32_000 }, (_, i) => Math.sin(i / 9));
    const first = memory.features(audio.subarray(0, 16_000));
    expect(memory.features(audio)).toBe(first);
    expect(first.sampleCount).toBe(32_000);
    const shorter = memory.features(audio.subarray(0, 30_000));
    expect(shorter).not.toBe(first);
    expect(shorter.sampleCount).toBe(30_000);
  });
});

describe('memories', () => {
  it('of the utterances spoken last are kept, as many as there is room for', () => {
    const bytes = 128 * 2 * 4;
    const memories = new EncoderMemories(2 * bytes, () => new EncoderMemory(config, 1));
    const speak = (utterance: string): EncoderMemory => {
      const memory = memories.of(utterance);
      const window = memory.window(1, 'quick');
      memory.keep(window, [rowsOf(window.positions)], 1);
      return memory;
    };
    const [a, b] = [speak('a'), speak('b')];
    expect(a.byteLength).toBe(bytes);
    expect([memories.of('b'), memories.of('a')]).toEqual([b, a]);
    speak('c');
    expect(memories.of('a')).toBe(a);
    expect(memories.of('b')).not.toBe(b);
  });

  it('of utterances that are over serve the next ones, and know nothing of the old', () => {
    const memories = new EncoderMemories(2 ** 20, () => new EncoderMemory(config, 1));
    const speak = (utterance: string): EncoderMemory => {
      const memory = memories.of(utterance);
      memory.features(new Float32Array(16_000).fill(0.5));
      const window = memory.window(1, 'quick');
      memory.keep(window, [rowsOf(window.positions)], 1);
      return memory;
    };
    const a = speak('a');
    memories.release('a');
    // It may go on after all.
    expect(memories.of('a')).toBe(a);
    const b = speak('b');
    expect(b).not.toBe(a);
    memories.release('a');
    memories.release('unheard of');
    const c = memories.of('c');
    expect(c).toBe(a);
    expect(c.window(1.5, 'quick').knownPositions).toBe(0);
    expect(c.features(new Float32Array(320)).sampleCount).toBe(320);
    expect(memories.of('b')).toBe(b);
    expect(memories.of('d')).not.toBe(a);
  });
});
