/** Taking in a recording as Deepgram's clients send it: the body of a request, or what is at an address. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { recordingChannels } from '../../audio/channel-count.ts';
import { recordingLengthMs } from '../../audio/length.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { SessionOptions } from '../../domain/options.ts';
import type { SessionRecord } from '../../domain/session.ts';
import type { HttpParts } from '../parts.ts';
import { refuseUnknown } from '../upload.ts';
import type { AnswerWishes } from './answer.ts';
import { ofChannel } from './common-query.ts';
import type { RecordingWishes } from './prerecorded-query.ts';

/** Where the audio of a request comes from. */
export type RecordingSource =
  | { readonly kind: 'body'; readonly body: ReadableStream<Uint8Array> | null }
  | { readonly kind: 'url'; readonly url: string };

/** A recording that is queued: a session for each channel that is heard by itself. */
export interface QueuedRecording {
  readonly records: readonly SessionRecord[];
  readonly answer: AnswerWishes;
}

/**
 * Brings a recording to this node, looks at it and queues it. An address is fetched first, so that what is wrong with it
 * is the answer to the request.
 * @param signal Aborted when the client leaves.
 * @throws Failure `overloaded`, `address_not_allowed`, `audio_unreachable`, `payload_too_large`, `audio_empty`,
 * `audio_undecodable`, `storage_full`
 */
export async function queueRecording(
  source: RecordingSource,
  wishes: RecordingWishes,
  tenantId: string,
  parts: HttpParts,
  signal: AbortSignal,
): Promise<QueuedRecording> {
  const { uploads, recordings, newId, checkAddress } = parts;
  if (source.kind === 'url') checkAddress(source.url);
  await recordings.admit();
  const ids = [newId('ses')];
  const path = uploads.pathOf(ids[0]!);
  const { options, answer } = wishes;
  try {
    const sha256 =
      source.kind === 'body'
        ? await save(source.body, path, parts.limits.maxUploadBytes)
        : await hashOf(await uploads.fetch(ids[0]!, source.url, signal));
    if (options.audio.encoding === 'container') await refuseUnknown(path);
    const channels = wishes.isMultichannel ? await channelsOf(path, wishes) : [options];
    for (const _ of channels.slice(1)) {
      const id = newId('ses');
      ids.push(id);
      await link(path, uploads.pathOf(id));
    }
    const asked = { ...answer, sha256 };
    const records = await create(
      ids,
      channels.map((channel) => withVendor(channel, asked)),
      tenantId,
      parts,
    );
    return { records, answer: asked };
  } catch (error) {
    // Of what is stored nobody knows: then the audio may be needed, and is erased in time where it is not.
    if (!isFailure(error, 'storage_unavailable')) for (const id of ids) await uploads.discard(id);
    throw error;
  }
}

/** The options of each channel's session. */
async function channelsOf(path: string, { options, channels }: RecordingWishes): Promise<SessionOptions[]> {
  const count = (await recordingChannels(path, options.audio)) ?? channels;
  if (count === null)
    throw new Failure(
      'unsupported_option',
      'multichannel: how many channels a file of this kind has is not known here; say channels.',
    );
  return Array.from({ length: count }, (_, channel) => ofChannel(options, channel));
}

/** What is sent to a callback is written as its receiver expects it. */
const withVendor = (options: SessionOptions, asked: AnswerWishes): SessionOptions =>
  options.webhook
    ? { ...options, webhook: { ...options.webhook, vendor: { name: 'deepgram', asked } } }
    : options;

async function create(
  ids: readonly string[],
  channels: readonly SessionOptions[],
  tenantId: string,
  { store, uploads, recordings, abilities }: HttpParts,
): Promise<SessionRecord[]> {
  const records: SessionRecord[] = [];
  for (const [at, id] of ids.entries()) {
    const options = channels[at]!;
    const durationMs = await recordingLengthMs(uploads.pathOf(id), options.audio);
    await uploads.share(id);
    const model = abilities.modelName;
    const session = { id, tenantId, source: 'recording', options, model, durationMs } as const;
    records.push(await store.sessions.create(session));
  }
  // Whatever becomes of this, the next sweep finds the sessions.
  for (const id of ids) await recordings.enqueue(id);
  return records;
}

/** Streams a body to a file, under a cap. Nothing is left at `path` when it throws. @returns Its SHA-256. */
async function save(
  body: ReadableStream<Uint8Array> | null,
  path: string,
  maxBytes: number,
): Promise<string> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes)
        throw new Failure('payload_too_large', `A recording may have ${maxBytes} bytes at most.`);
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    const source = body ? Readable.fromWeb(body) : Readable.from([]);
    await pipeline(source, bounded, createWriteStream(path, { mode: 0o600 }));
    if (sizeBytes === 0) throw new Failure('audio_empty', 'The request has no audio in its body.');
    return hash.digest('hex');
  } catch (error) {
    await rm(path, { force: true });
    if (error instanceof Failure) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new Failure('storage_full', 'There is no room left for the recording.', { cause: error });
    throw new Failure('bad_request', 'The body broke off.', { cause: error });
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
