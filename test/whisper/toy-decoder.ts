/** A decoder's world small enough to read, for tests of what is decoded in it. */
import type { WhisperConfig } from '../../src/whisper/weights/config.ts';

/** A vocabulary small enough to read: text tokens 0–9, then the special ones. */
export const END = 10;
export const START = 11;
export const EN = 12;
export const KO = 13;
export const TRANSCRIBE = 15;
export const PREVIOUS = 16;
export const NO_SPEECH = 17;
export const NO_TIMESTAMPS = 18;
export const TIMESTAMP = 19;
export const VOCABULARY = 24;

export const toyConfig: WhisperConfig = {
  dModel: 8,
  encoderLayers: 1,
  decoderLayers: 1,
  encoderHeads: 1,
  decoderHeads: 1,
  encoderFfnDim: 8,
  decoderFfnDim: 8,
  mels: 80,
  vocabSize: VOCABULARY,
  maxSourcePositions: 1500,
  maxTargetPositions: 448,
  tokens: {
    endOfText: END,
    startOfTranscript: START,
    startOfPrevious: PREVIOUS,
    noSpeech: NO_SPEECH,
    noTimestamps: NO_TIMESTAMPS,
    firstTimestamp: TIMESTAMP,
    transcribe: TRANSCRIBE,
    translate: 14,
  },
  languages: { en: EN, ko: KO },
  suppressTokens: [9],
  beginSuppressTokens: [0, END],
  alignmentHeads: [],
  maxInitialTimestampIndex: 50,
};
