/**
 * Fetches one file over HTTP, and goes on where it was interrupted, in this run or an earlier one: what has
 * arrived is kept beside the target as `{name}.part` and the rest is asked for by range (RFC 9110, section 14).
 * The file gets its name only when its size and hash are right.
 */
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { hashFile } from '../../models/hashes.ts';
import { ModelError } from '../../models/model-error.ts';
import { get, persist, type Reading, type RequestOptions } from './request.ts';

export interface RemoteFile {
  readonly url: string;
  /** Null where the server does not say. */
  readonly bytes: number | null;
  /** `git`: the id of a git blob, which is how the Hub names small files. Null where nothing is known. */
  readonly hash: { readonly kind: 'sha256' | 'git'; readonly hex: string } | null;
}

export interface DownloadOptions extends RequestOptions {
  /** Told how much of the file is on disk. Goes back where a server makes us begin anew. */
  readonly onReceived?: ((receivedBytes: number) => void) | undefined;
}

/** A file that arrives whole and wrong is fetched once more. */
const MAX_WRONG = 2;
/** More than announced is wrong already, and need not fill the disk. */
const MAX_EXCESS_BYTES = 1 << 20;

/**
 * @throws ModelError `missing` where the server has no such file, `damaged` where it keeps sending another one
 * than announced, `unreachable` where it cannot be reached or breaks off without end; the signal's reason when
 * aborted.
 */
export async function download(file: RemoteFile, path: string, options: DownloadOptions): Promise<void> {
  const part = `${path}.part`;
  for (let wrong = 0; wrong < MAX_WRONG; wrong++) {
    await persist(
      file.url,
      options,
      () => fetchRest(file, part, options),
      () => sizeOf(part),
    );
    if (await isRight(file, part)) return rename(part, path);
    await rm(part, { force: true });
  }
  throw new ModelError(
    'damaged',
    `${basename(path)} arrived from ${file.url} with another size or hash than announced, twice`,
  );
}

/** Appends to `part` until it is whole. */
async function fetchRest(file: RemoteFile, part: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(part);
  if (file.bytes !== null && have >= file.bytes) return;
  const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  await get(file.url, range, options, (reading) => append(reading, file, part, have, options));
}

async function append(
  { response, alive }: Reading,
  file: RemoteFile,
  part: string,
  have: number,
  options: DownloadOptions,
): Promise<void> {
  let received = await beginning(response, have, part);
  const target = await open(part, received === 0 ? 'w' : 'a');
  try {
    for await (const chunk of response.body ?? []) {
      alive();
      await target.writeFile(chunk);
      options.onReceived?.((received += chunk.byteLength));
      if (file.bytes !== null && received > file.bytes + MAX_EXCESS_BYTES) break;
    }
    await target.sync();
  } finally {
    await target.close();
  }
  if (file.bytes !== null && received < file.bytes)
    throw new Error(`it ended after ${received} of ${file.bytes} bytes`);
}

/** Where in the file an answer begins. */
async function beginning({ status, headers, body }: Response, have: number, part: string): Promise<number> {
  if (status === 200) return 0;
  const start = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1];
  if (status === 206 && Number(start) === have) return have;
  await body?.cancel();
  await rm(part, { force: true });
  throw new Error(`the server has no such range (status ${status})`);
}

async function isRight({ bytes, hash }: RemoteFile, part: string): Promise<boolean> {
  const size = await sizeOf(part);
  if (bytes !== null && size !== bytes) return false;
  if (hash === null) return true;
  const actual =
    hash.kind === 'sha256' ? await hashFile(part) : await hashFile(part, 'sha1', `blob ${size}\0`);
  return actual === hash.hex;
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
