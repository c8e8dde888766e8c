/** Decodes one stream of bytes, wherever the work is done. */
export interface AudioDecoder {
  /**
   * The audio that `bytes` complete, as 16 kHz mono in −1…1, in chunks of a few seconds at most. To be exhausted
   * before the next call. Null says that no more bytes will come.
   * @throws Failure `audio_undecodable`.
   */
  decode(bytes: Uint8Array | null): AsyncIterable<Float32Array>;
  /** Ends the decoder, also in the middle of its work. */
  close(): Promise<void>;
}
