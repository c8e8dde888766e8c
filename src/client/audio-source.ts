/** Audio in one piece: samples or bytes in whatever form they are at hand. */
export type AudioPiece = ArrayBuffer | ArrayBufferView;

/** Audio in many pieces: a Node stream, a `ReadableStream`, a generator, a list. */
export type AudioSource = AsyncIterable<AudioPiece> | Iterable<AudioPiece> | ReadableStream<AudioPiece>;

const LARGEST_PIECE_BYTES = 64 * 1024;

/** The bytes of a piece, which are not copied. */
export const bytesOf = (piece: AudioPiece): Uint8Array =>
  ArrayBuffer.isView(piece)
    ? new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
    : new Uint8Array(piece);

/** All that a source gives, in pieces small enough to wait between. A reader that stops early stops the source. */
export async function* piecesOf(source: AudioSource): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of isIterable(source) ? source : readingOf(source)) {
    const bytes = bytesOf(piece);
    for (let at = 0; at < bytes.length; at += LARGEST_PIECE_BYTES)
      yield bytes.subarray(at, at + LARGEST_PIECE_BYTES);
  }
}

const isIterable = (source: AudioSource): source is AsyncIterable<AudioPiece> | Iterable<AudioPiece> =>
  Symbol.asyncIterator in source || Symbol.iterator in source;

/** What `ReadableStream` does by itself where it can be iterated, which is not so in every browser. */
async function* readingOf(stream: ReadableStream<AudioPiece>): AsyncGenerator<AudioPiece, void, undefined> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (let next = await reader.read(); !(ended = next.done); next = await reader.read()) yield next.value!;
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
