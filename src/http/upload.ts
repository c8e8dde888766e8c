/** Taking in a recording: to disk, looked at, stored as a session, queued. */
import { open } from 'node:fs/promises';
import { recordingLengthMs } from '../audio/length.ts';
import { SNIFF_BYTES, sniff } from '../audio/sniff.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import { createUnder, fingerprintOf } from './idempotency.ts';
import { receiveUpload } from './multipart.ts';
import { readOptions } from './options.ts';
import type { HttpParts } from './parts.ts';

/** A recording as it was taken in: already there where its key was used before. */
export interface Accepted {
  readonly record: SessionRecord;
  readonly isNew: boolean;
}

/** What stands in a form beside its file: each face writes a recording's options in its own way. */
export interface FormReader {
  /** Takes in a field. @throws Failure where there is no such field, or its value is none. */
  take(name: string, value: string): void;
  /** What all fields together ask for, as a session's options in JSON; undefined for nothing. @throws Failure */
  options(): unknown;
}

/** Our own form: one field `options`, in JSON. */
class OptionsField implements FormReader {
  #options: unknown;

  take(name: string, value: string): void {
    if (name !== 'options') throw new Failure('unsupported_option', `There is no field ${name}.`);
    if (this.#options !== undefined) throw new Failure('bad_request', 'One field options at a time.');
    try {
      this.#options = JSON.parse(value);
    } catch {
      throw new Failure('bad_request', 'The field options is not JSON.');
    }
  }

  options(): unknown {
    return this.#options;
  }
}

/**
 * Reads an upload and queues it. Nothing is left behind where it throws, but where nobody knows what was stored.
 * @param form Reads the fields beside the file.
 * @throws Failure `audio_undecodable` where the first bytes are no known audio, `overloaded`, and what reading
 * the body and the options may say.
 */
export async function acceptRecording(
  request: Request,
  tenantId: string,
  key: string | null,
  { store, recordings, uploads, abilities, newId, limits }: HttpParts,
  form: FormReader = new OptionsField(),
): Promise<Accepted> {
  await recordings.admit();
  const id = newId('ses');
  const path = uploads.pathOf(id);
  const { sha256 } = await receiveUpload(request, path, {
    maxBytes: limits.maxUploadBytes,
    isHashed: key !== null,
    takeField: (name, value) => form.take(name, value),
  });
  let accepted: Accepted;
  try {
    const asked = form.options();
    const options = readOptions(withContainer(asked), abilities);
    if (options.audio.encoding === 'container') await refuseUnknown(path);
    const durationMs = await recordingLengthMs(path, options.audio);
    await uploads.share(id);
    const idempotency =
      key === null
        ? null
        : { key, fingerprint: fingerprintOf('recording', sha256!, JSON.stringify(asked ?? null)) };
    const session = {
      id,
      tenantId,
      source: 'recording',
      options,
      model: abilities.modelName,
      durationMs,
    } as const;
    accepted = await createUnder(idempotency, session, store.sessions);
    if (!accepted.isNew) await uploads.discard(id);
  } catch (error) {
    // It may be the answer alone that is missing: then the session is there and needs its audio. Otherwise that belongs to
    // nothing, and is erased in time.
    const isUnknown = isFailure(error, 'storage_unavailable');
    if (!isUnknown) await uploads.discard(id);
    throw error;
  }
  // Whatever becomes of this, the next sweep finds the session.
  if (accepted.isNew) await recordings.enqueue(id);
  return accepted;
}

/**
 * Queues a recording that is to be fetched.
 * @param given The options, `audioUrl` beside them.
 * @throws Failure `address_not_allowed`, `overloaded`, and what the options may say.
 */
export async function acceptUrl(
  { audioUrl, ...given }: { readonly audioUrl: unknown },
  tenantId: string,
  key: string | null,
  { store, recordings, abilities, newId, checkAddress }: HttpParts,
): Promise<Accepted> {
  if (typeof audioUrl !== 'string') throw new Failure('bad_request', 'audioUrl: must be an address.');
  const options = readOptions(withContainer(given), abilities);
  checkAddress(audioUrl);
  await recordings.admit();
  const session = {
    id: newId('ses'),
    tenantId,
    source: 'recording',
    options,
    model: abilities.modelName,
    durationMs: null,
    audioUrl,
  } as const;
  const fingerprint = fingerprintOf('url', audioUrl, JSON.stringify(given));
  const accepted = await createUnder(key === null ? null : { key, fingerprint }, session, store.sessions);
  if (accepted.isNew) await recordings.enqueue(session.id);
  return accepted;
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

/** @throws Failure `audio_undecodable` where a file is no audio that is known. */
export async function refuseUnknown(path: string): Promise<void> {
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
