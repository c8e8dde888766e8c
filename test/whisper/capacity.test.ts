import { describe, expect, it } from 'vitest';
import { measureLiveCosts, speakersFor } from '../../src/whisper/capacity.ts';
import type { RecognitionRequest } from '../../src/whisper/recognition.ts';

describe('capacity', () => {
  it.each([
    // Two partials and a fifth of a final a second, on four fifths of each worker.
    ['two workers', { partialMs: 40, finalMs: 100 }, 2, 16],
    ['twice as many workers', { partialMs: 40, finalMs: 100 }, 4, 32],
    ['a model that is too large', { partialMs: 4_000, finalMs: 9_000 }, 2, 1],
  ])('of %s', (_, costs, workers, speakers) => {
    expect(speakersFor(costs, workers)).toBe(speakers);
  });

  it('times a hypothesis that goes on from earlier ones, and a final of the same utterance', async () => {
    const asked: RecognitionRequest[] = [];
    let now = 0;
    const run = async (request: RecognitionRequest) => {
      asked.push(request);
      // Some take longer than they must.
      now += { partial: 40, final: 100, recording: 0 }[request.urgency] + (asked.length % 3) * 20;
    };
    expect(await measureLiveCosts(run, 'ko', () => now)).toEqual({ partialMs: 40, finalMs: 100 });
    expect(new Set(asked.map(({ utterance }) => utterance)).size).toBe(1);
    expect(asked.map(({ audio }) => audio.length / 16_000)).toEqual([3, 3.5, 4, 4.5, 5, 5, 5, 5]);
    expect(asked.every(({ audio }) => audio.every((sample) => Math.abs(sample) <= 1))).toBe(true);
  });

  it('counts a slow model once', async () => {
    let now = 0;
    let count = 0;
    const run = async () => {
      count++;
      now += 2_000;
    };
    expect(await measureLiveCosts(run, 'en', () => now)).toEqual({ partialMs: 2_000, finalMs: 2_000 });
    expect(count).toBe(4);
  });
});
