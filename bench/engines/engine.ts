/** Anything that turns one stretch of audio into words, to be measured beside the others. */
export interface Engine {
  /** As the report shows it. */
  readonly name: string;
  /** How many calls at a time keep it busy. */
  readonly atOnce: number;
  /** @param audio 16 kHz mono, −1…1, at most 30 s. @param language Its two- or three-letter code. */
  transcribe(audio: Float32Array, language: string): Promise<string>;
  /**
   * Begins an utterance that grows: each call gets all of it so far. What an engine does for live hypotheses that it
   * does not do for a stretch of audio by itself, it does here.
   */
  follow(language: string): (soFar: Float32Array) => Promise<string>;
  /** Of the process it runs in, which may be this one, so far. */
  cpuSeconds(): Promise<number>;
  close(): Promise<void>;
}
