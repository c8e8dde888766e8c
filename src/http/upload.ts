/** Taking in a recording: to disk, looked at, stored as a session, queued. */
import { open } from 'node:fs/promises';
import { recordingLengthMs } from '../audio/length.ts';
import { SNIFF_BYTES, sniff } from '../audio/sniff.ts';
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import { receiveUpload } from './multipart.ts';
import { readOptions } from './options.ts';
import type { HttpParts } from './parts.ts';

/**
 * Reads an upload and queues it. Nothing is left behind where it throws.
 * @throws Failure `audio_undecodable` where the first bytes are no known audio, `overloaded`, and what reading
 * the body and the options may say.
 */
export async function acceptRecording(
  request: Request,
  tenantId: string,
  { store, recordings, abilities, newId, limits }: HttpParts,
): Promise<SessionRecord> {
  await recordings.admit();
  const id = newId('ses');
  const path = recordings.pathOf(id);
  const upload = await receiveUpload(request, path, limits.maxUploadBytes);
  try {
    const options = readOptions(withContainer(upload.options), abilities);
    if (options.audio.encoding === 'container') await refuseUnknown(path);
    const model = abilities.modelName;
    const record = await store.sessions.create({
      id,
      tenantId,
      source: 'recording',
      options,
      model,
      durationMs: await recordingLengthMs(path, options.audio),
    });
    await recordings.enqueue(id);
    return record;
  } catch (error) {
    await recordings.discard(id);
    throw error;
  }
}

/** A recording is a file of some kind unless its options say raw PCM. */
function withContainer(given: unknown): unknown {
  if (given === undefined) return { audio: { encoding: 'container' } };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const { audio = {}, ...others } = given as { audio?: unknown };
  return typeof audio === 'object' && audio !== null
    ? { ...others, audio: { encoding: 'container', ...audio } }
    : given;
}

async function refuseUnknown(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(SNIFF_BYTES) });
    if (sniff(buffer.subarray(0, bytesRead), true) !== null) return;
    throw new Failure(
      'audio_undecodable',
      'These bytes are no audio file that is known here; wav, mp3, flac, ogg, webm, m4a and mp4 are. For raw PCM set audio.encoding.',
    );
  } finally {
    await file.close();
  }
}
