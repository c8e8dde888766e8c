/** Any audio to 16 kHz mono: what comes over the wire, and what lies in a file. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';
import type { AudioFormat } from '../domain/options.ts';
import { toSamples } from '../domain/time.ts';
import { abortable } from '../flow/abortable.ts';
import { type DecodeParts, decoderOf, SniffingDecoder } from './container.ts';
import type { AudioDecoder } from './decoder.ts';
import type { DecodedInput, EncodedInput } from './input.ts';
import { RawDecoder, type RawFormat } from './raw.ts';
import { SNIFF_BYTES, sniff } from './sniff.ts';

export type { DecodeParts } from './container.ts';

/** What a file is read in at a time. */
const FILE_CHUNK_BYTES = 65_536;

const isRaw = (format: AudioFormat): format is RawFormat => format.encoding !== 'container';

/**
 * Decodes a stream as it comes. Reads the next input when the consumer asks for more; a mark keeps its
 * place (where ffmpeg decodes, among what it has given out by then). A stream without a single byte is no error.
 * @throws Failure `audio_undecodable`, `audio_too_long`; the signal's reason when aborted.
 */
export async function* decodeInput(
  input: AsyncIterable<EncodedInput>,
  format: AudioFormat,
  parts: DecodeParts,
  signal?: AbortSignal,
): AsyncGenerator<DecodedInput, void, undefined> {
  const decoder = isRaw(format) ? new RawDecoder(format) : new SniffingDecoder(parts, format.channel);
  yield* limited(decoded(input, decoder, signal), parts.maxDurationMs);
}

/**
 * Decodes a recording, in flat memory.
 * @param path A file of the server's own naming.
 * @throws Failure `audio_undecodable`, `audio_empty`, `audio_too_long`; the signal's reason when aborted.
 */
export async function* decodeFile(
  path: string,
  format: AudioFormat,
  parts: DecodeParts,
  signal?: AbortSignal,
): AsyncGenerator<Float32Array, void, undefined> {
  const head = await readHead(path);
  const container = isRaw(format) || head.length === 0 ? null : sniff(head, true);
  // ffmpeg reads the file itself: an mp4 may have its index at the end.
  const readsItself = container !== null && container !== 'more' && container.by === 'ffmpeg';
  let isEmpty = true;
  if (head.length > 0) {
    const decoder = isRaw(format)
      ? new RawDecoder(format)
      : decoderOf(container, { kind: 'file', path }, parts, format.channel);
    const bytes = readsItself ? nothing() : createReadStream(path, { highWaterMark: FILE_CHUNK_BYTES });
    for await (const audio of limited(decoded(bytes, decoder, signal), parts.maxDurationMs)) {
      if (typeof audio === 'string') continue;
      isEmpty = false;
      yield audio;
    }
  }
  if (isEmpty) throw new Failure('audio_empty', 'There is no sound in this recording.');
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Runs `input` through `decoder`, which is closed in the end. */
async function* decoded(
  input: AsyncIterable<EncodedInput>,
  decoder: AudioDecoder,
  signal: AbortSignal | undefined,
): AsyncGenerator<DecodedInput, void, undefined> {
  const abort = () => void decoder.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const item of abortable(input, signal))
      if (typeof item === 'string') yield item;
      else yield* decoder.decode(item);
    yield* decoder.decode(null);
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    await decoder.close();
  }
}

/** Stops at the longest audio allowed: the length is counted as it is decoded, not read from a header. */
async function* limited(
  audio: AsyncIterable<DecodedInput>,
  maxDurationMs = Number.POSITIVE_INFINITY,
): AsyncGenerator<DecodedInput, void, undefined> {
  let left = toSamples(maxDurationMs) as number;
  for await (const item of audio) {
    if (typeof item !== 'string') left -= item.length;
    if (left < 0)
      throw new Failure('audio_too_long', `The audio is longer than the ${maxDurationMs / 1000} s allowed.`);
    yield item;
  }
}
