/**
 * What a simulated speaker says: clips one after the other. Before, between and after them stands the clips' own
 * silence, played back and forth from their edges: other noise, or none, would be a sound of its own where it begins.
 */
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import type { Interval } from './activity.ts';
import { type Clip, EDGE_SILENCE_MS } from './clips.ts';

export interface Script {
  /** 16 kHz mono. Silence goes on for {@link SPARE_MS} after the end, for as much of it as is needed. */
  readonly pcm: Int16Array;
  /** Without the spare silence. */
  readonly durationMs: number;
  /** Where somebody speaks, in order. */
  readonly speech: readonly Interval[];
  /** All that is said. */
  readonly text: string;
}

export interface ScriptTiming {
  /** Silence before the first clip. */
  readonly leadMs: number;
  /** Silence after each clip. */
  readonly pauseMs: number;
}

export const SPARE_MS = 15_000;

const samplesIn = (ms: number): number => Math.round((ms * SAMPLE_RATE_HZ) / 1000);

/** Silence that begins where a clip ends. */
function silenceAfter({ pcm }: Clip, ms: number): Int16Array {
  const edge = pcm.slice(-samplesIn(EDGE_SILENCE_MS)).reverse();
  return Int16Array.from({ length: samplesIn(ms) }, (_, i) => edge[backAndForth(i, edge.length)]!);
}

/** Silence that ends where a clip begins. */
function silenceBefore({ pcm }: Clip, ms: number): Int16Array {
  const edge = pcm.subarray(0, samplesIn(EDGE_SILENCE_MS));
  return Int16Array.from({ length: samplesIn(ms) }, (_, i) => edge[backAndForth(i, edge.length)]!).reverse();
}

const backAndForth = (i: number, length: number): number => {
  const place = i % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
};

export function compose(clips: readonly Clip[], { leadMs, pauseMs }: ScriptTiming): Script {
  const parts: Int16Array[] = [];
  const speech: Interval[] = [];
  let atMs = 0;
  for (const [i, clip] of clips.entries()) {
    const before = i === 0 ? leadMs : pauseMs / 2;
    const after = i === clips.length - 1 ? pauseMs : pauseMs / 2;
    atMs += before;
    for (const { startMs, endMs } of clip.speech)
      speech.push({ startMs: atMs + startMs, endMs: atMs + endMs });
    parts.push(silenceBefore(clip, before), clip.pcm, silenceAfter(clip, after));
    atMs += (clip.pcm.length / SAMPLE_RATE_HZ) * 1000 + after;
  }
  parts.push(silenceAfter(clips.at(-1)!, SPARE_MS + pauseMs).subarray(samplesIn(pauseMs)));
  return { pcm: concat(parts), durationMs: atMs, speech, text: clips.map(({ text }) => text).join(' ') };
}

function concat(parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Samples as Whisper takes them, −1…1. */
export const toFloat = (pcm: Int16Array): Float32Array => Float32Array.from(pcm, (sample) => sample / 32_768);

/** Clips in a seeded order, over and over, until they and the pauses between them last `atLeastMs`. */
export function enoughClips(
  clips: readonly Clip[],
  atLeastMs: number,
  pauseMs: number,
  random: () => number,
): Clip[] {
  const chosen: Clip[] = [];
  let left = atLeastMs;
  let round: Clip[] = [];
  while (left > 0) {
    if (round.length === 0) round = [...clips];
    const [clip] = round.splice(Math.floor(random() * round.length), 1);
    chosen.push(clip!);
    left -= (clip!.pcm.length / SAMPLE_RATE_HZ) * 1000 + pauseMs;
  }
  return chosen;
}
