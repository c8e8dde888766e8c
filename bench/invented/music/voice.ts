/**
 * The hardest of instruments to tell from speech: a throat that sings syllables and says nothing. Harmonics under
 * the formants of a vowel, which come from a closed mouth and may go on to another vowel.
 */
import { SAMPLE_RATE_HZ } from '../../../src/domain/time.ts';
import { normal, type Random } from '../sound.ts';
import { type Instrument, sine } from './instruments.ts';

/** Centre frequencies of the first three formants in hertz (Peterson and Barney, 1952, men). */
const VOWELS: readonly Formants[] = [
  [730, 1090, 2440],
  [530, 1840, 2480],
  [270, 2290, 3010],
  [570, 840, 2410],
  [300, 870, 2240],
];
/** Where the formants come from when the lips or the tongue open: roughly b, d and g. */
const CLOSURES: readonly Formants[] = [
  [200, 800, 2200],
  [200, 1700, 2600],
  [200, 2200, 2500],
];

type Formants = readonly [number, number, number];

const STRENGTHS = [1, 0.6, 0.35] as const;
const WIDTHS_HZ = [60, 90, 150] as const;
/** How often the formants move. */
const STEP_SAMPLES = SAMPLE_RATE_HZ / 100;
const MOST_HARMONICS = 30;
const HIGHEST_HZ = 6_000;
/** How long a mouth takes to open. */
const OPENING_SECONDS = 0.06;

const resonance = (hz: number, formants: Formants): number =>
  formants.reduce(
    (sum, centre, i) => sum + STRENGTHS[i]! / (1 + ((hz - centre) / WIDTHS_HZ[i]!) ** 2),
    0.005,
  );

function between(from: Formants, to: Formants, share: number): Formants {
  const at = (i: 0 | 1 | 2) => from[i] + share * (to[i] - from[i]);
  return [at(0), at(1), at(2)];
}

const oneOf = (choices: readonly Formants[], random: Random): Formants =>
  choices[Math.floor(random() * choices.length)]!;

/** Sings one syllable, an octave deeper where the note is high for a man. */
export const voice: Instrument = (noteHz, seconds, random) => {
  const hz = noteHz > 330 ? noteHz / 2 : noteHz;
  const closure = random() < 0.7 ? oneOf(CLOSURES, random) : null;
  const vowel = oneOf(VOWELS, random);
  const last = random() < 0.6 ? vowel : oneOf(VOWELS, random);
  /** Where the mouth stands at a time. */
  const formantsAt = (at: number): Formants => {
    if (closure && at < OPENING_SECONDS) return between(closure, vowel, at / OPENING_SECONDS);
    return between(vowel, last, Math.min(1, at / seconds));
  };
  const count = Math.min(MOST_HARMONICS, Math.floor(HIGHEST_HZ / hz));
  const weights = new Float32Array(count);
  const vibratoHz = 5 + random();
  const glide = 0.06 * (random() - 0.5);
  let turns = 0;
  let jitter = 0;
  return Float32Array.from({ length: Math.floor(seconds * SAMPLE_RATE_HZ) }, (_, i) => {
    const at = i / SAMPLE_RATE_HZ;
    if (i % STEP_SAMPLES === 0) {
      const formants = formantsAt(at);
      for (let n = 0; n < count; n++) weights[n] = resonance((n + 1) * hz, formants) / (n + 1);
      jitter = 0.8 * jitter + 0.004 * normal(random);
    }
    const bend = glide * Math.exp(-at / 0.1) + 0.01 * Math.min(1, 2 * at) * sine(vibratoHz * at) + jitter;
    turns += (hz * (1 + bend)) / SAMPLE_RATE_HZ;
    let wave = 0;
    for (let n = 0; n < count; n++) wave += weights[n]! * sine((n + 1) * turns);
    const breath = 0.004 * normal(random);
    return (wave + breath) * Math.min(1, at / 0.02, (seconds - at) / 0.06);
  });
};
