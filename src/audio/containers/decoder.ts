/** What the decoder thread asks of every container it can read by itself. */

/** Mono sound at a rate of its own; samples may still be too loud or not finite. */
export interface Sound {
  readonly rateHz: number;
  readonly samples: Float32Array;
}

/**
 * Reads one container, given in any split. Decoding is lazy: an iterator does no more work than what is taken from
 * it, a second or so of audio at a time, so a small input that stands for hours of audio can be stopped in time.
 */
export interface ContainerDecoder {
  /**
   * Decodes as far as `bytes` allow. To be exhausted before the next call.
   * @throws Failure `audio_undecodable` where the container is damaged beyond reading on, or not supported.
   */
  decode(bytes: Uint8Array): AsyncIterable<Sound>;
  /**
   * What is left when no more bytes will come. A container cut off within its audio ends where it was cut.
   * @throws Failure `audio_undecodable` where the bytes ended before any audio was declared.
   */
  finish(): Iterable<Sound>;
  /** Gives back the decoder's memory. */
  free(): void;
}
