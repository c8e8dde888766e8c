/**
 * Short pieces of music, no two alike: key, mode, tempo, harmony, melody and who plays are drawn by chance. Some
 * are full, some are one instrument alone, which is nearer to speech.
 */
import { SAMPLE_RATE_HZ } from '../../../src/domain/time.ts';
import type { Random } from '../sound.ts';
import {
  bell,
  brass,
  clarinet,
  flute,
  hat,
  type Instrument,
  kick,
  organ,
  piano,
  plucked,
  snare,
  strings,
} from './instruments.ts';
import { voice } from './voice.ts';

const LEADS = [plucked, bell, flute, brass, clarinet, strings, piano, voice, voice];
const BACKINGS = [plucked, organ, strings, piano, voice];
const BASSES = [plucked, brass, piano];

const SCALES = [
  [0, 2, 4, 5, 7, 9, 11],
  [0, 2, 3, 5, 7, 8, 10],
  [0, 2, 3, 5, 7, 9, 10],
] as const;
/** Degrees of the scale on which the chords of four bars stand. */
const HARMONIES = [
  [0, 4, 5, 3],
  [0, 5, 3, 4],
  [0, 3, 0, 4],
  [5, 3, 0, 4],
  [0, 2, 3, 4],
] as const;

const BARS = 8;
const BEATS = 4;
const PEAK = 0.7;

interface Note {
  readonly beat: number;
  readonly beats: number;
  readonly hz: number;
  readonly gain: number;
  readonly player: Instrument;
}

const oneOf = <T>(choices: readonly T[], random: Random): T =>
  choices[Math.floor(random() * choices.length)]!;

/**
 * A piece of eight bars, 16 kHz mono, 11 to 32 s.
 * @param solo Who plays it alone; null to have its players drawn by chance.
 */
export function piece(random: Random, solo: Instrument | null): Float32Array {
  const scale = oneOf(SCALES, random);
  const keyHz = 110 * 2 ** (Math.floor(12 * random()) / 12);
  /** The frequency of a degree of the scale, in any octave. */
  const pitch = (degree: number): number => {
    const octave = Math.floor(degree / 7);
    return keyHz * 2 ** (octave + scale[degree - 7 * octave]! / 12);
  };
  const secondsPerBeat = 60 / (60 + 110 * random());
  const harmony = oneOf(HARMONIES, random);
  const chords = Array.from({ length: BARS }, (_, bar) => harmony[bar % harmony.length]!);
  const lead = solo ?? oneOf(LEADS, random);
  const alone = solo !== null || random() < 0.35;
  const notes = [...melody(lead, chords, pitch, random)];
  if (!alone) {
    notes.push(...backing(chords, pitch, random), ...bass(chords, pitch, random));
    if (random() < 0.6) notes.push(...drums(random));
  }
  return played(notes, secondsPerBeat, random);
}

/** A walk along the scale that leans on the chord where a bar begins. */
function* melody(
  player: Instrument,
  chords: readonly number[],
  pitch: (degree: number) => number,
  random: Random,
): Generator<Note> {
  const busy = random();
  let degree = 7;
  for (const [bar, chord] of chords.entries()) {
    for (let beat = 0; beat < BEATS; ) {
      const beats = oneOf(busy < 0.5 ? [1, 1, 2, 0.5] : [0.5, 0.5, 0.25, 1], random);
      degree =
        beat === 0 ? 7 + chord + oneOf([0, 2, 4], random) : degree + oneOf([-2, -1, -1, 0, 1, 1, 2], random);
      degree = Math.max(4, Math.min(16, degree));
      if (random() > 0.12) yield { beat: bar * BEATS + beat, beats, hz: pitch(degree), gain: 0.6, player };
      beat += beats;
    }
  }
}

function* backing(
  chords: readonly number[],
  pitch: (degree: number) => number,
  random: Random,
): Generator<Note> {
  const player = oneOf(BACKINGS, random);
  const broken = random() < 0.5;
  for (const [bar, chord] of chords.entries())
    for (let beat = 0; beat < BEATS; beat += broken ? 1 : 2)
      for (const [i, third] of [0, 2, 4].entries())
        yield {
          beat: bar * BEATS + beat + (broken ? i / 3 : 0),
          beats: broken ? 1 : 2,
          hz: pitch(chord + third),
          gain: 0.25,
          player,
        };
}

function* bass(
  chords: readonly number[],
  pitch: (degree: number) => number,
  random: Random,
): Generator<Note> {
  const player = oneOf(BASSES, random);
  for (const [bar, chord] of chords.entries())
    for (const beat of [0, 2])
      yield { beat: bar * BEATS + beat, beats: 1.5, hz: pitch(chord - 7), gain: 0.5, player };
}

function* drums(random: Random): Generator<Note> {
  const eighths = random() < 0.5;
  for (let beat = 0; beat < BARS * BEATS; beat++) {
    yield { beat, beats: 0.5, hz: 180, gain: 0.6, player: beat % 2 === 0 ? kick : snare };
    for (const off of eighths ? [0, 0.5] : [0])
      yield { beat: beat + off, beats: 0.25, hz: 0, gain: 0.5, player: hat };
  }
}

/** All notes together, as loud as fits. */
function played(notes: readonly Note[], secondsPerBeat: number, random: Random): Float32Array {
  const mix = new Float32Array(Math.ceil(BARS * BEATS * secondsPerBeat * SAMPLE_RATE_HZ));
  for (const { beat, beats, hz, gain, player } of notes) {
    const from = Math.floor(beat * secondsPerBeat * SAMPLE_RATE_HZ);
    const samples = player(hz, beats * secondsPerBeat, random);
    for (let i = 0; i < samples.length && from + i < mix.length; i++) mix[from + i]! += gain * samples[i]!;
  }
  const peak = mix.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-6);
  return mix.map((sample) => (PEAK * sample) / peak);
}
