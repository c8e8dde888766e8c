/** Shapes of OpenAI's multilingual Whisper models (Radford et al., 2022, table 1; large-v3-turbo: its model card). */

export interface ModelSize {
  readonly name: string;
  readonly dModel: number;
  /** Of each layer's attention, encoder and decoder alike. */
  readonly heads: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly mels: 80 | 128;
  readonly vocabSize: 51_865 | 51_866;
  /** How many heads follow the audio; which ones makes no difference to speed. */
  readonly alignmentHeads: number;
}

const FIRST = { mels: 80, vocabSize: 51_865 } as const;

/** Smallest first. */
export const SIZES: readonly ModelSize[] = [
  { name: 'tiny', dModel: 384, heads: 6, encoderLayers: 4, decoderLayers: 4, alignmentHeads: 6, ...FIRST },
  { name: 'base', dModel: 512, heads: 8, encoderLayers: 6, decoderLayers: 6, alignmentHeads: 8, ...FIRST },
  {
    name: 'small',
    dModel: 768,
    heads: 12,
    encoderLayers: 12,
    decoderLayers: 12,
    alignmentHeads: 10,
    ...FIRST,
  },
  {
    name: 'medium',
    dModel: 1024,
    heads: 16,
    encoderLayers: 24,
    decoderLayers: 24,
    alignmentHeads: 6,
    ...FIRST,
  },
  {
    name: 'large-v3-turbo',
    dModel: 1280,
    heads: 20,
    encoderLayers: 32,
    decoderLayers: 4,
    alignmentHeads: 6,
    mels: 128,
    vocabSize: 51_866,
  },
];
