/** The sounds of each kind; an hour of a kind is shared out among them. */
import { seeded } from '../../test/support/audio.ts';
import { piece } from './music/piece.ts';
import { voice } from './music/voice.ts';
import { gusts, hum, noise } from './noise.ts';
import { dither, nothing, roomTone } from './quiet.ts';
import { type Random, type Sound, spliced } from './sound.ts';

export const KINDS = ['silence', 'noise', 'hum', 'music'] as const;
export type Kind = (typeof KINDS)[number];

export interface NamedSound {
  readonly name: string;
  readonly open: (random: Random) => Sound;
}

const LEVELS_DB = [-50, -30, -15];
const COLOURS = ['white', 'pink', 'brown'] as const;

export const SOUNDS: Readonly<Record<Kind, readonly NamedSound[]>> = {
  silence: [
    { name: 'zeroes', open: nothing },
    { name: 'the last bit', open: dither },
    { name: 'rooms', open: (random) => roomTone(random, 1) },
    { name: 'rooms, 20 dB louder', open: (random) => roomTone(random, 10) },
  ],
  noise: COLOURS.flatMap((colour) => [
    ...LEVELS_DB.map((db) => ({
      name: `${colour}, ${db} dB`,
      open: (random: Random) => noise(colour, db, random),
    })),
    { name: `${colour}, gusts`, open: (random: Random) => gusts(colour, -12, random) },
  ]),
  hum: [50, 60].flatMap((hz) =>
    (['cable', 'transformer'] as const).flatMap((source) =>
      [-40, -15].map((db) => ({
        name: `${hz} Hz, ${source}, ${db} dB`,
        open: (random: Random) => hum(source, hz, db, random),
      })),
    ),
  ),
  music: [
    { name: 'pieces', open: (random) => spliced(() => piece(random, null)) },
    { name: 'a voice that sings syllables', open: (random) => spliced(() => piece(random, voice)) },
  ],
};

/** A seed of each sound's own, so that leaving one out changes no other. */
export const chanceFor = (seed: number, name: string): Random =>
  seeded([...name].reduce((hash, letter) => (Math.imul(hash, 31) + letter.codePointAt(0)!) | 0, seed));
