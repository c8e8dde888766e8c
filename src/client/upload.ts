import type { Session } from '../domain/session.ts';
import { EarshotError } from './error.ts';
import { type Http, parseAnswer, problemOf } from './http.ts';
import type { SessionRequest } from './wire.ts';

/** A recording that is read while it is sent, for files too large to hold. */
export interface RecordingStream {
  readonly name: string;
  /** For progress; left out where it is not known. */
  readonly sizeBytes?: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** How a recording is sent. */
export interface UploadOptions {
  /** Told after each piece; `totalBytes` is null where the recording's size is not known. */
  readonly onProgress?: ((progress: { sentBytes: number; totalBytes: number | null }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The same key sent twice makes one session. */
  readonly idempotencyKey?: string | undefined;
}

/**
 * Sends a recording as `multipart/form-data` (RFC 7578). A browser's `fetch` tells nothing of what was sent so
 * far, so there `XMLHttpRequest` is used; elsewhere the body is a stream, and no file is held in memory.
 *
 * @throws EarshotError the gateway's problem, or `unreachable`; the signal's reason when aborted.
 */
export function upload(
  http: Http,
  recording: Blob | RecordingStream,
  request: SessionRequest,
  options: UploadOptions,
): Promise<Session> {
  const Xhr = (globalThis as { XMLHttpRequest?: XhrConstructor }).XMLHttpRequest;
  if (recording instanceof Blob && Xhr) return uploadByXhr(new Xhr(), http, recording, request, options);
  return uploadByFetch(http, recording instanceof Blob ? streamOf(recording) : recording, request, options);
}

const nameOf = (blob: Blob): string => (blob as { name?: string }).name ?? 'recording';

async function* bytesOf(blob: Blob): AsyncGenerator<Uint8Array> {
  const reader = blob.stream().getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
}

/** `ReadableStream.from`, which not every runtime has: reads on only when the network takes more. */
const pulled = (bytes: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream({
    async pull(controller) {
      const { done, value } = await bytes.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await bytes.return(undefined);
    },
  });

const streamOf = (blob: Blob): RecordingStream => ({
  name: nameOf(blob),
  sizeBytes: blob.size,
  bytes: bytesOf(blob),
});

function headersOf({ idempotencyKey }: UploadOptions): Record<string, string> {
  return idempotencyKey ? { 'idempotency-key': idempotencyKey } : {};
}

async function uploadByFetch(
  http: Http,
  recording: RecordingStream,
  request: SessionRequest,
  options: UploadOptions,
): Promise<Session> {
  const boundary = `earshot-${crypto.randomUUID()}`;
  const reading = { error: null as unknown };
  const body = pulled(multipart(recording, request, boundary, options, reading));
  try {
    return await http.json<Session>('POST', 'v1/sessions', {
      body,
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, ...headersOf(options) },
      signal: options.signal,
    });
  } catch (error) {
    // A file that cannot be read must not look like a gateway that cannot be reached.
    throw reading.error ?? error;
  }
}

async function* multipart(
  { name, sizeBytes, bytes }: RecordingStream,
  request: SessionRequest,
  boundary: string,
  { onProgress }: UploadOptions,
  reading: { error: unknown },
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const head = (disposition: string, type: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\ncontent-type: ${type}\r\n\r\n`;
  // RFC 7578, section 2, by way of the URL standard: quotes and line ends in a name are percent-encoded.
  const quoted = name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  yield encoder.encode(`${head('name="options"', 'application/json')}${JSON.stringify(request)}\r\n`);
  yield encoder.encode(head(`name="file"; filename="${quoted}"`, 'application/octet-stream'));
  let sentBytes = 0;
  try {
    for await (const piece of bytes) {
      yield piece;
      sentBytes += piece.byteLength;
      onProgress?.({ sentBytes, totalBytes: sizeBytes ?? null });
    }
  } catch (error) {
    reading.error = error;
    throw error;
  }
  yield encoder.encode(`\r\n--${boundary}--\r\n`);
}

function uploadByXhr(
  xhr: Xhr,
  http: Http,
  recording: Blob,
  request: SessionRequest,
  options: UploadOptions,
): Promise<Session> {
  const { signal, onProgress } = options;
  return new Promise<Session>((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      xhr.abort();
      reject(signal!.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const url = http.address('v1/sessions');
    xhr.open('POST', url.href);
    for (const [name, value] of Object.entries({ ...http.authorization(), ...headersOf(options) }))
      xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener('progress', ({ loaded, total }) =>
      onProgress?.({ sentBytes: loaded, totalBytes: total || recording.size }),
    );
    xhr.addEventListener('error', () => {
      signal?.removeEventListener('abort', abort);
      reject(new EarshotError('unreachable', `no answer from ${url.origin}`));
    });
    xhr.addEventListener('load', () => {
      signal?.removeEventListener('abort', abort);
      try {
        if (xhr.status >= 200 && xhr.status < 300)
          resolve(parseAnswer<Session>(xhr.responseText, xhr.status));
        else reject(problemOf(xhr.status, { get: (name) => xhr.getResponseHeader(name) }, xhr.responseText));
      } catch (error) {
        reject(error);
      }
    });
    const form = new FormData();
    // The options stand first, so that the gateway knows them before the first byte of audio.
    form.append('options', JSON.stringify(request));
    form.append('file', recording, nameOf(recording));
    xhr.send(form);
  });
}

/** As much of `XMLHttpRequest` as is used. */
interface Xhr {
  readonly status: number;
  readonly responseText: string;
  readonly upload: {
    addEventListener(type: 'progress', listener: (event: { loaded: number; total: number }) => void): void;
  };
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  addEventListener(type: 'load' | 'error', listener: () => void): void;
  send(body: FormData): void;
  abort(): void;
}

type XhrConstructor = new () => Xhr;
