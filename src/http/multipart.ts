/** A recording as it is uploaded: multipart, streamed to disk under a cap, never held in memory. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { Failure } from '../domain/failure.ts';

/** A field beside the file may be this long, … */
const MAX_FIELD_BYTES = 64 * 1024;
/** … and there may be so many of them. */
const MAX_FIELDS = 256;

export interface UploadWishes {
  readonly maxBytes: number;
  /** Whether its hash is wanted, which takes a second or two of a gigabyte. */
  readonly isHashed: boolean;
  /** Takes in a field beside the file; what it throws ends the upload. */
  readonly takeField: (name: string, value: string) => void;
}

export interface Upload {
  readonly sizeBytes: number;
  /** SHA-256 of the file, in hexadecimal; null where it was not asked for. */
  readonly sha256: string | null;
}

/**
 * Reads a multipart request with one `file` and perhaps other fields, writing the file to `path`. Nothing is left
 * at `path` when it throws.
 * @throws Failure `bad_request`, `payload_too_large`, `audio_empty`, `storage_full`, and what the fields' reader says.
 */
export async function receiveUpload(request: Request, path: string, wishes: UploadWishes): Promise<Upload> {
  try {
    const upload = await receive(request, path, wishes);
    if (upload.sizeBytes === 0) throw new Failure('audio_empty', 'The file is empty.');
    return upload;
  } catch (error) {
    await rm(path, { force: true });
    if (error instanceof Failure) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new Failure('storage_full', 'There is no room left for the recording.', { cause: error });
    throw new Failure('bad_request', 'The multipart body is malformed or broke off.', { cause: error });
  }
}

function receive(
  request: Request,
  path: string,
  { maxBytes, isHashed, takeField }: UploadWishes,
): Promise<Upload> {
  const body = Readable.fromWeb(request.body as ReadableStream<Uint8Array>);
  const headers = { 'content-type': request.headers.get('content-type') ?? '' } as BusboyHeaders;
  const limits = { files: 1, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, fileSize: maxBytes };
  return new Promise((resolve, reject) => {
    const parser = new Busboy({ headers, limits });
    const hash = isHashed ? createHash('sha256') : null;
    let written: Promise<number> | null = null;
    let incoming: Readable | null = null;
    let failed = false;
    const fail = (error: unknown) => {
      if (failed) return;
      failed = true;
      request.signal.removeEventListener('abort', onAbort);
      body.unpipe(parser);
      body.destroy();
      // With the error: a file that has been read to its end would otherwise not tell that it is gone.
      incoming?.destroy(error as Error);
      // Only when the file is closed: what was half written can then be removed for good.
      void Promise.allSettled([written]).then(() => reject(error));
    };
    const onAbort = () => fail(new Failure('bad_request', 'The upload broke off.'));
    request.signal.addEventListener('abort', onAbort, { once: true });

    parser.on('file', (field, file) => {
      if (field !== 'file')
        fail(
          new Failure('unsupported_option', `There is no file field ${field}; the recording goes into file.`),
        );
      if (failed) {
        file.resume();
        return;
      }
      incoming = file;
      file.on('limit', () =>
        fail(new Failure('payload_too_large', `A recording may have ${maxBytes} bytes at most.`)),
      );
      const target = createWriteStream(path, { mode: 0o600 });
      if (hash) file.on('data', (chunk: Buffer) => hash.update(chunk));
      written = pipeline(file, target).then(() => target.bytesWritten);
      written.catch(fail);
    });
    parser.on('filesLimit', () => fail(new Failure('bad_request', 'One recording at a time.')));
    parser.on('fieldsLimit', () =>
      fail(new Failure('bad_request', `At most ${MAX_FIELDS} fields at a time.`)),
    );
    parser.on('field', (field, value, _nameCut, valueCut) => {
      if (failed) return;
      if (field === 'file')
        fail(new Failure('bad_request', 'The field file must be a file: give it a filename.'));
      else if (valueCut) fail(new Failure('bad_request', `The field ${field} is too long.`));
      else
        try {
          takeField(field, value);
        } catch (error) {
          fail(error);
        }
    });
    parser.on('error', fail);
    parser.on('finish', async () => {
      request.signal.removeEventListener('abort', onAbort);
      if (!written) fail(new Failure('bad_request', 'The field file is missing.'));
      else resolve({ sizeBytes: await written.catch(() => 0), sha256: hash?.digest('hex') ?? null });
    });
    body.on('error', fail);
    body.pipe(parser);
  });
}
