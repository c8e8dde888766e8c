/** Noise of several colours, steady or in gusts, and the hum of mains. */
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { atDb, normal, type Random, type Sound, sampled } from './sound.ts';

export type Colour = 'white' | 'pink' | 'brown';

/** One octave below the other; their sum falls by 3 dB an octave between the first and the last. */
const PINK_CORNERS_HZ = [15, 30, 60, 120, 240, 480, 960, 1920, 3840];
const BROWN_CORNER_HZ = 10;

/** Noise with a root mean square of one. */
function coloured(colour: Colour, random: Random): () => number {
  switch (colour) {
    case 'white':
      return () => normal(random);
    case 'pink': {
      const parts = PINK_CORNERS_HZ.map((hz) => lowPassed(hz, random));
      return () => parts.reduce((sum, next) => sum + next(), 0) / Math.sqrt(parts.length);
    }
    case 'brown':
      return lowPassed(BROWN_CORNER_HZ, random);
  }
}

/** White noise behind one pole, brought back to a root mean square of one. */
function lowPassed(cornerHz: number, random: Random): () => number {
  const kept = Math.exp((-2 * Math.PI * cornerHz) / SAMPLE_RATE_HZ);
  const gain = Math.sqrt(1 - kept * kept);
  let level = 0;
  return () => (level = kept * level + gain * normal(random));
}

/** Steady noise. */
export function noise(colour: Colour, levelDb: number, random: Random): Sound {
  const next = coloured(colour, random);
  return sampled(() => atDb(levelDb) * next());
}

/** Noise that swells and falls at the pace of syllables and of wind: by 30 dB, and all at once every few seconds. */
export function gusts(colour: Colour, loudestDb: number, random: Random): Sound {
  const next = coloured(colour, random);
  const swell = lowPassed(1, random);
  let gateSamples = 0;
  let gate = 1;
  return sampled(() => {
    if (gateSamples-- <= 0) {
      gateSamples = SAMPLE_RATE_HZ * (0.1 + 4 * random());
      gate = random() < 0.7 ? 1 : 0.03;
    }
    return atDb(loudestDb - 15 + 15 * Math.tanh(swell())) * gate * next();
  });
}

/** How strong each harmonic of mains is in a bad cable and in a transformer, the fundamental first. */
const HARMONICS = {
  cable: [1, 0.1, 0.4, 0.05, 0.25, 0.03, 0.15],
  transformer: [0.3, 1, 0.1, 0.6, 0.05, 0.4, 0, 0.3, 0, 0.2],
};

export type Hum = keyof typeof HARMONICS;

/** The hum of mains; its frequency drifts by a fifth of a hertz, as in the grid, and its level by 3 dB. */
export function hum(source: Hum, mainsHz: number, levelDb: number, random: Random): Sound {
  const weights = HARMONICS[source];
  const scale = Math.SQRT2 / Math.hypot(...weights);
  const drift = lowPassed(0.05, random);
  let turns = 0;
  return sampled(() => {
    const away = drift();
    turns += (mainsHz + 0.1 * away) / SAMPLE_RATE_HZ;
    const wave = weights.reduce(
      (sum, weight, i) => sum + weight * Math.sin(2 * Math.PI * (i + 1) * turns),
      0,
    );
    return atDb(levelDb + 1.5 * away) * scale * wave;
  });
}

/**
 * A recording under pink noise.
 * @param snrDb How far the noise lies below the loud half of the recording's frames of 20 ms.
 */
export function underNoise(audio: Float32Array, snrDb: number, random: Random): Float32Array {
  const frame = SAMPLE_RATE_HZ / 50;
  const powers: number[] = [];
  for (let at = 0; at + frame <= audio.length; at += frame) {
    const samples = audio.subarray(at, at + frame);
    powers.push(samples.reduce((sum, sample) => sum + sample * sample, 0) / frame);
  }
  const loud = powers.sort((a, b) => b - a).slice(0, Math.ceil(powers.length / 2));
  const level = Math.sqrt(loud.reduce((sum, power) => sum + power, 0) / loud.length) / 10 ** (snrDb / 20);
  const next = coloured('pink', random);
  return audio.map((sample) => sample + level * next());
}
