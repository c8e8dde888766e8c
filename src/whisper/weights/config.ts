/** The shape of a Whisper model and what its decoder has to know, as plain data that may be sent to a worker. */
export interface WhisperConfig {
  /** Width of the residual stream. */
  readonly dModel: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly encoderHeads: number;
  readonly decoderHeads: number;
  /** Widths between the two linear layers of a feed-forward block. */
  readonly encoderFfnDim: number;
  readonly decoderFfnDim: number;
  /** Mel bands of the input: 80, or 128 from large-v3 on. */
  readonly mels: number;
  /** Rows of the token embedding and of the logits. */
  readonly vocabSize: number;
  /** Encoder positions of 20 ms in the trained window: 1,500. */
  readonly maxSourcePositions: number;
  /** Tokens the decoder can hold, prompt and start tokens included: 448. */
  readonly maxTargetPositions: number;
  readonly tokens: WhisperTokens;
  /** Language code (`en`, `ko`, `haw`, `yue` …) to the id of its token. Empty for English-only models. */
  readonly languages: Readonly<Record<string, number>>;
  /** Tokens that are never to be decoded. */
  readonly suppressTokens: readonly number[];
  /** Tokens that must not come first. */
  readonly beginSuppressTokens: readonly number[];
  /**
   * Cross-attention heads that follow the audio, as [decoder layer, head], by layer. Where the checkpoint does not name
   * them: all heads of the upper half of the decoder.
   */
  readonly alignmentHeads: readonly (readonly [layer: number, head: number])[];
  /** A first timestamp may be at most so many steps of 20 ms in. */
  readonly maxInitialTimestampIndex: number;
}

/** Ids of the tokens with a meaning of their own. */
export interface WhisperTokens {
  readonly endOfText: number;
  readonly startOfTranscript: number;
  readonly startOfPrevious: number;
  /** `<|nospeech|>`, called `<|nocaptions|>` in older models. */
  readonly noSpeech: number;
  readonly noTimestamps: number;
  /** `<|0.00|>`; each id above it is 20 ms later. */
  readonly firstTimestamp: number;
  /** Null for English-only models, which know one task. */
  readonly transcribe: number | null;
  readonly translate: number | null;
}
