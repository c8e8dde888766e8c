/**
 * Where somebody speaks in a clean recording, from its energy alone, so that delays are measured against the
 * sound and not against what the gateway took for speech. Frames of 20 ms count as speech from 20 dB below the
 * clip's loud frames (their 95th percentile) on; shorter gaps than 300 ms belong to the speech around them, and
 * what is shorter than 60 ms in all is a click.
 */
import { percentile } from '../measure/statistics.ts';

/** A stretch of time, in milliseconds from the start of the audio. */
export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

const FRAME_MS = 20;
const BELOW_LOUD_DB = 20;
const BRIDGED_GAP_MS = 300;
const SHORTEST_MS = 60;

/** Level of digital silence: quieter than any microphone, and finite. */
const FLOOR_DB = -100;

/** The root mean square level of each whole 20 ms of 16-bit audio, in dB below full scale. */
export function frameLevelsDb(pcm: Int16Array, sampleRateHz: number): number[] {
  const frameSamples = (sampleRateHz * FRAME_MS) / 1000;
  const levels: number[] = [];
  for (let at = 0; at + frameSamples <= pcm.length; at += frameSamples) {
    let energy = 0;
    for (let i = at; i < at + frameSamples; i++) energy += (pcm[i]! / 32_768) ** 2;
    levels.push(Math.max(FLOOR_DB, 10 * Math.log10(energy / frameSamples)));
  }
  return levels;
}

/** The stretches of speech, in order; empty where there is no sound at all. */
export function speechIntervals(pcm: Int16Array, sampleRateHz: number): Interval[] {
  const levels = frameLevelsDb(pcm, sampleRateHz);
  if (levels.length === 0) return [];
  const loudDb = percentile(levels, 95);
  if (loudDb <= FLOOR_DB + BELOW_LOUD_DB) return [];
  const runs: Interval[] = [];
  for (const [i, level] of levels.entries()) {
    if (level < loudDb - BELOW_LOUD_DB) continue;
    const startMs = i * FRAME_MS;
    const last = runs.at(-1);
    if (last?.endMs === startMs) runs[runs.length - 1] = { ...last, endMs: startMs + FRAME_MS };
    else runs.push({ startMs, endMs: startMs + FRAME_MS });
  }
  return bridged(runs.filter(({ startMs, endMs }) => endMs - startMs >= SHORTEST_MS));
}

function bridged(runs: readonly Interval[]): Interval[] {
  const joined: Interval[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last && run.startMs - last.endMs < BRIDGED_GAP_MS)
      joined[joined.length - 1] = { startMs: last.startMs, endMs: run.endMs };
    else joined.push(run);
  }
  return joined;
}
