/** Instruments that play a note: a frequency and a length in, samples at 16 kHz out, about as loud as each other. */
import { SAMPLE_RATE_HZ } from '../../../src/domain/time.ts';
import { normal, type Random } from '../sound.ts';

/** Plays `seconds` of a note, its release included. */
export type Instrument = (hz: number, seconds: number, random: Random) => Float32Array;

const TABLE_SIZE = 4096;
const SINE = Float32Array.from({ length: TABLE_SIZE }, (_, i) => Math.sin((2 * Math.PI * i) / TABLE_SIZE));

/** The sine of so many turns, 0 or more. */
export const sine = (turns: number): number => SINE[Math.floor(turns * TABLE_SIZE) % TABLE_SIZE]!;

const HIGHEST_HZ = 7_000;

/** Linear attack and release around a level that falls by half every `halfLifeSeconds`. */
function envelope(
  at: number,
  seconds: number,
  attack: number,
  release: number,
  halfLifeSeconds: number,
): number {
  const edge = Math.min(1, at / attack, (seconds - at) / release);
  return Math.max(0, edge) * 2 ** (-at / halfLifeSeconds);
}

interface Timbre {
  /** Weight of each harmonic. */
  readonly harmonics: (n: number) => number;
  readonly attack: number;
  readonly halfLife: number;
  /** Depth of the vibrato as a share of the frequency. */
  readonly vibrato: number;
}

/** A sum of harmonics: organs, flutes, reeds, brass. */
const additive =
  ({ harmonics, attack, halfLife, vibrato }: Timbre): Instrument =>
  (hz, seconds, random) => {
    const count = Math.min(16, Math.floor(HIGHEST_HZ / hz));
    const weights = Array.from({ length: count }, (_, i) => harmonics(i + 1));
    const scale = 0.5 / weights.reduce((sum, weight) => sum + weight, 0);
    const rate = 4.5 + 2 * random();
    let turns = random();
    return Float32Array.from({ length: Math.floor(seconds * SAMPLE_RATE_HZ) }, (_, i) => {
      const at = i / SAMPLE_RATE_HZ;
      turns += (hz * (1 + vibrato * Math.min(1, 2 * at) * sine(rate * at))) / SAMPLE_RATE_HZ;
      let wave = 0;
      for (let n = 0; n < count; n++) wave += weights[n]! * sine((n + 1) * turns);
      return scale * wave * envelope(at, seconds, attack, 0.06, halfLife);
    });
  };

/** A plucked string: noise that runs round a delay and loses its edge each time (Karplus and Strong, 1983). */
export const plucked: Instrument = (hz, seconds, random) => {
  const period = Math.max(2, Math.round(SAMPLE_RATE_HZ / hz));
  const string = Float32Array.from({ length: period }, () => 2 * random() - 1);
  const kept = 0.5 * 2 ** (-1 / (hz * 0.9));
  let at = 0;
  return Float32Array.from({ length: Math.floor(seconds * SAMPLE_RATE_HZ) }, (_, i) => {
    const next = (at + 1) % period;
    const sample = string[at]!;
    string[at] = kept * (sample + string[next]!);
    at = next;
    return 0.6 * sample * envelope(i / SAMPLE_RATE_HZ, seconds, 0.002, 0.05, 100);
  });
};

/** A bell: one sine bends another, ever less (Chowning, 1973). */
export const bell: Instrument = (hz, seconds) =>
  Float32Array.from({ length: Math.floor(seconds * SAMPLE_RATE_HZ) }, (_, i) => {
    const at = i / SAMPLE_RATE_HZ;
    const bend = 0.6 * 2 ** (-at / 0.3) * sine(3.51 * hz * at);
    return 0.4 * sine(hz * at + 1 + bend) * envelope(at, seconds, 0.003, 0.05, 0.5);
  });

export const flute = additive({
  harmonics: (n) => 0.3 ** (n - 1),
  attack: 0.08,
  halfLife: 5,
  vibrato: 0.006,
});
export const organ = additive({
  harmonics: (n) => ([1, 2, 3, 4, 6, 8].includes(n) ? 1 / n : 0),
  attack: 0.02,
  halfLife: 100,
  vibrato: 0,
});
export const strings = additive({ harmonics: (n) => 1 / n, attack: 0.15, halfLife: 8, vibrato: 0.008 });
export const brass = additive({
  harmonics: (n) => 1 / (1 + (n - 3) ** 2 / 6),
  attack: 0.05,
  halfLife: 4,
  vibrato: 0.003,
});
export const clarinet = additive({
  harmonics: (n) => (n % 2 === 1 ? 1 / n : 0.05),
  attack: 0.04,
  halfLife: 6,
  vibrato: 0.002,
});
export const piano = additive({ harmonics: (n) => 0.6 ** (n - 1), attack: 0.004, halfLife: 0.4, vibrato: 0 });

/** Drums: they have no pitch, and take the frequency for how bright they are. */
export const kick: Instrument = (_hz, seconds) => {
  let turns = 0;
  return Float32Array.from({ length: Math.floor(seconds * SAMPLE_RATE_HZ) }, (_, i) => {
    const at = i / SAMPLE_RATE_HZ;
    turns += (45 + 120 * 2 ** (-at / 0.02)) / SAMPLE_RATE_HZ;
    return 0.9 * sine(turns) * envelope(at, seconds, 0.002, 0.02, 0.06);
  });
};

export const snare: Instrument = (hz, seconds, random) =>
  Float32Array.from({ length: Math.floor(seconds * SAMPLE_RATE_HZ) }, (_, i) => {
    const at = i / SAMPLE_RATE_HZ;
    return (0.2 * normal(random) + 0.3 * sine(hz * at)) * envelope(at, seconds, 0.001, 0.02, 0.04);
  });

export const hat: Instrument = (_hz, seconds, random) => {
  let before = 0;
  return Float32Array.from({ length: Math.floor(seconds * SAMPLE_RATE_HZ) }, (_, i) => {
    const now = normal(random);
    const high = now - before;
    before = now;
    return 0.12 * high * envelope(i / SAMPLE_RATE_HZ, seconds, 0.001, 0.01, 0.02);
  });
};
