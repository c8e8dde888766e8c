/** Silence as it reaches a microphone's reader: none at all, the last bit, and rooms in which nobody speaks. */
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { readClips } from '../audio/clips.ts';
import { toFloat } from '../audio/script.ts';
import { type Random, type Sound, sampled, spliced } from './sound.ts';

const LAST_BIT = 1 / 32_768;

/** Zeroes. */
export const nothing = (): Sound => sampled(() => 0);

/** What a converter adds to silence: the last bit, up and down (triangular distribution). */
export const dither = (random: Random): Sound =>
  sampled(() => Math.round(random() + random() - 1) * LAST_BIT);

/** Grains of a room overlap by half under a window whose squares add up to one: its noise keeps its level. */
const GRAIN_SAMPLES = 2 * 960;

/**
 * The rooms in which the fixtures were read, from before their first word and after their last, put together anew
 * from grains of 120 ms at random places.
 * @param gain 1 for the level as it was recorded.
 */
export function roomTone(random: Random, gain: number): Sound {
  const edges = readClips().flatMap(({ pcm, speech }) => {
    const sound = toFloat(pcm);
    const before = sound.subarray(0, Math.floor((speech[0]!.startMs * SAMPLE_RATE_HZ) / 1000));
    const after = sound.subarray(Math.ceil((speech.at(-1)!.endMs * SAMPLE_RATE_HZ) / 1000));
    return [before, after].filter((edge) => edge.length >= GRAIN_SAMPLES);
  });
  const hop = GRAIN_SAMPLES / 2;
  const window = Float32Array.from({ length: GRAIN_SAMPLES }, (_, i) =>
    Math.sin((Math.PI * (i + 0.5)) / GRAIN_SAMPLES),
  );
  const grain = (): Float32Array => {
    const edge = edges[Math.floor(random() * edges.length)]!;
    const from = Math.floor(random() * (edge.length - GRAIN_SAMPLES));
    return Float32Array.from(window, (weight, i) => gain * weight * edge[from + i]!);
  };
  let tail = grain().subarray(hop);
  return spliced(() => {
    const next = grain();
    const out = Float32Array.from({ length: hop }, (_, i) => tail[i]! + next[i]!);
    tail = next.subarray(hop);
    return out;
  });
}
