/** What an engine needs for the same audio as every other: time, processor time, errors. */
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import type { Clip } from '../audio/clips.ts';
import { toFloat } from '../audio/script.ts';
import { watchOthers } from '../machine.ts';
import { median } from '../measure/statistics.ts';
import { pooled, rateOf, type WordErrors, wordErrors } from '../measure/words.ts';
import type { Engine } from './engine.ts';

/** One pass over a window of some length, with nothing else running. */
export interface WindowCost {
  readonly seconds: number;
  /** Median wall-clock time. */
  readonly ms: number;
  /** Mean processor time over all threads. */
  readonly cpuMs: number;
}

export interface EngineMeasures {
  readonly engine: string;
  /** Median time of a clip, by its name. */
  readonly clipMs: ReadonlyMap<string, number>;
  readonly wordErrorRate: number;
  /** Seconds of the clips transcribed in a second, with as many at a time as keep the engine busy. */
  readonly audioPerSecond: number;
  /** Hypotheses in a second, likewise, of utterances that grow to {@link PARTIAL_WINDOW_SECONDS}. */
  readonly partialsPerSecond: number;
  readonly windows: readonly WindowCost[];
  /** Cores that other processes kept busy meanwhile, on average. */
  readonly otherCores: number;
}

export interface EngineEffort {
  /** Of each clip and each window. */
  readonly repeats: number;
  readonly windowSeconds: readonly number[];
  /** How long throughput is measured, at least. */
  readonly throughputMs: number;
}

/** An utterance of the usual length, of which there is a hypothesis every half second. */
export const PARTIAL_WINDOW_SECONDS = 5;
const PARTIAL_STEP_SECONDS = 0.5;

/** Audio at 16 kHz mono and the language spoken in it. */
interface Sample {
  readonly audio: Float32Array;
  readonly language: string;
}

/** Measures an engine; the first pass, which may be slower, does not count. */
export async function measureEngine(
  engine: Engine,
  clips: readonly Clip[],
  { repeats, windowSeconds, throughputMs }: EngineEffort,
): Promise<EngineMeasures> {
  const whole = clips.map(({ pcm, language }): Sample => ({ audio: toFloat(pcm), language }));
  await pass(engine, whole[0]!);
  const cpuBefore = await engine.cpuSeconds();
  const othersUsed = watchOthers();

  const clipMs = new Map<string, number>();
  const words: WordErrors[] = [];
  for (const [i, { name, text }] of clips.entries()) {
    const passes = await times(repeats, () => pass(engine, whole[i]!));
    clipMs.set(name, median(passes.map(({ ms }) => ms)));
    words.push(...passes.map((heard) => wordErrors(heard.text, text)));
  }

  const windows: WindowCost[] = [];
  for (const seconds of windowSeconds) windows.push(await costOf(engine, window(clips, seconds), repeats));

  const partial = window(clips, PARTIAL_WINDOW_SECONDS);
  const recordings = await throughput(engine.atOnce, throughputMs, async (i) => {
    const sample = whole[i % whole.length]!;
    await pass(engine, sample);
    return sample.audio.length / SAMPLE_RATE_HZ;
  });
  const partials = await throughput(engine.atOnce, throughputMs, () => grow(engine, partial));
  return {
    engine: engine.name,
    clipMs,
    wordErrorRate: rateOf(pooled(words)),
    windows,
    audioPerSecond: recordings.amount / recordings.seconds,
    partialsPerSecond: partials.amount / partials.seconds,
    otherCores: othersUsed((await engine.cpuSeconds()) - cpuBefore),
  };
}

/** Speech of a given length: the clips one after the other, as often as it takes, cut off at its end. */
function window(clips: readonly Clip[], seconds: number): Sample {
  const audio = new Float32Array(seconds * SAMPLE_RATE_HZ);
  for (let at = 0, i = 0; at < audio.length; i++) {
    const piece = toFloat(clips[i % clips.length]!.pcm).subarray(0, audio.length - at);
    audio.set(piece, at);
    at += piece.length;
  }
  return { audio, language: clips[0]!.language };
}

async function pass(engine: Engine, { audio, language }: Sample) {
  const startedMs = performance.now();
  const text = await engine.transcribe(audio, language);
  return { text, ms: performance.now() - startedMs };
}

async function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < count; i++) results.push(await work());
  return results;
}

async function costOf(engine: Engine, sample: Sample, repeats: number): Promise<WindowCost> {
  const cpuBefore = await engine.cpuSeconds();
  const passes = await times(repeats, () => pass(engine, sample));
  return {
    seconds: sample.audio.length / SAMPLE_RATE_HZ,
    ms: median(passes.map(({ ms }) => ms)),
    cpuMs: (1000 * ((await engine.cpuSeconds()) - cpuBefore)) / repeats,
  };
}

/** Follows an utterance to its end; the number of hypotheses. */
async function grow(engine: Engine, { audio, language }: Sample): Promise<number> {
  const hear = engine.follow(language);
  const step = PARTIAL_STEP_SECONDS * SAMPLE_RATE_HZ;
  let count = 0;
  for (let end = step; end <= audio.length; end += step) {
    await hear(audio.subarray(0, end));
    count++;
  }
  return count;
}

/** Keeps an engine busy for a while; what is under way at the end still counts, with its time. */
async function throughput(atOnce: number, forMs: number, job: (i: number) => Promise<number>) {
  const startedMs = performance.now();
  let amount = 0;
  let next = 0;
  const worker = async () => {
    while (performance.now() - startedMs < forMs) {
      const done = await job(next++);
      amount += done;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { amount, seconds: (performance.now() - startedMs) / 1000 };
}
