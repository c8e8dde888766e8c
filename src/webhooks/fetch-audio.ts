/** A recording that a client named by its address: fetched to disk under the same rule as webhooks. */
import { rm, writeFile } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { checkUrl, notAllowed } from './addresses.ts';
import { type Answer, ask } from './ask.ts';
import { type Deadline, deadline } from './deadline.ts';
import { type DialParts, NoAnswer } from './dial.ts';
import { parseRetryAfter } from './schedule.ts';

const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const QUESTION = {
  method: 'GET',
  headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'earshot' },
} as const;

/** A host that sends nothing for so long has stalled. */
const STALL_MS = 30_000;

/** When to try again where the host does not say. */
const WAIT_MS = 10_000;

export interface FetchParts extends DialParts {
  readonly clock: Clock;
  /** The longest wait for an answer to begin, and between two pieces of it; 30 s where not given. */
  readonly stallMs?: number;
}

export interface FetchLimits {
  readonly maxBytes: number;
  /** For all of it, redirects included. */
  readonly timeoutMs: number;
}

/**
 * Fetches what is at `url` to the file `path`, readable by its owner only. Up to three redirects are followed, each
 * to an address that is judged anew. Nothing is left at `path` when it throws.
 * @throws Failure `address_not_allowed`, `audio_unreachable`, `payload_too_large`, `audio_empty` or `storage_full`;
 * {@link mayPass} tells which are worth another try. The signal's reason when aborted.
 */
export async function fetchAudio(
  url: string,
  path: string,
  { maxBytes, timeoutMs }: FetchLimits,
  parts: FetchParts,
  signal: AbortSignal,
): Promise<{ readonly sizeBytes: number }> {
  signal.throwIfAborted();
  const { clock, stallMs = STALL_MS } = parts;
  const total = deadline(timeoutMs, clock, signal);
  const stall = deadline(stallMs, clock, total.signal);
  try {
    return { sizeBytes: await fetchTo(url, path, maxBytes, parts, stall) };
  } catch (error) {
    await rm(path, { force: true });
    signal.throwIfAborted();
    throw failureOf(error, stall.signal);
  } finally {
    stall.clear();
    total.clear();
  }
}

/** Whether what {@link fetchAudio} threw is worth another try: such a failure says when, others never pass. */
export const mayPass = (error: unknown): boolean =>
  error instanceof Failure && error.retryAfterMs !== undefined;

async function fetchTo(
  text: string,
  path: string,
  maxBytes: number,
  parts: FetchParts,
  stall: Deadline,
): Promise<number> {
  let url = checkUrl(text, parts.rule);
  for (let redirects = 0; ; redirects++) {
    const outcome = await ask(url, QUESTION, parts, stall.signal, async (answer) => {
      stall.restart();
      if (REDIRECTS.has(answer.status)) return targetOf(answer, url);
      requireAudio(answer, maxBytes, parts.clock.now());
      return await save(answer.body, path, maxBytes, stall);
    });
    if (typeof outcome === 'number') return outcome;
    if (redirects === MAX_REDIRECTS) throw never(`more than ${MAX_REDIRECTS} redirects lead on from it`);
    url = checkUrl(outcome, parts.rule);
  }
}

function targetOf({ headers: { location } }: Answer, from: URL): string {
  if (location === undefined || !URL.canParse(location, from.href))
    throw never('it redirects without saying where to');
  return new URL(location, from.href).href;
}

function requireAudio({ status, headers }: Answer, maxBytes: number, nowMs: number): void {
  if (status < 200 || status > 299) {
    const what = `it answered ${status}`;
    if (status < 500 && status !== 408 && status !== 429) throw never(what);
    throw notNow(what, parseRetryAfter(headers['retry-after'], nowMs) ?? WAIT_MS);
  }
  if (Number(headers['content-length']) > maxBytes) throw tooLarge(maxBytes);
}

async function save(
  body: AsyncIterable<Uint8Array>,
  path: string,
  maxBytes: number,
  stall: Deadline,
): Promise<number> {
  let sizeBytes = 0;
  async function* bounded(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of body) {
        stall.restart();
        sizeBytes += chunk.length;
        if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
        yield chunk;
      }
    } catch (error) {
      // Told apart here from what may befall the file.
      throw error instanceof Failure ? error : new NoAnswer('connection', error);
    }
  }
  await writeFile(path, bounded(), { mode: 0o600 });
  if (sizeBytes === 0) throw new Failure('audio_empty', 'The file at this address is empty.');
  return sizeBytes;
}

/** What may be told of an error; of those that are neither the host's doing nor a full disk nothing. */
function failureOf(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof Failure) return error;
  if (signal.aborted) return notNow('its host took too long', WAIT_MS, error);
  if (error instanceof NoAnswer)
    return error.reason === 'refused_address'
      ? notAllowed()
      : notNow('its host is not to be reached, or broke off', WAIT_MS, error);
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
    return new Failure('storage_full', 'There is no room left for the recording.', {
      cause: error,
      retryAfterMs: WAIT_MS,
    });
  return error;
}

const tooLarge = (maxBytes: number): Failure =>
  new Failure('payload_too_large', `A recording may have ${maxBytes} bytes at most.`);

const never = (why: string): Failure =>
  new Failure('audio_unreachable', `The audio cannot be fetched: ${why}. Give another address.`);

const notNow = (why: string, retryAfterMs: number, cause?: unknown): Failure =>
  new Failure('audio_unreachable', `The audio cannot be fetched: ${why}. It may work later.`, {
    cause,
    retryAfterMs,
  });
