/** One attempt to deliver a webhook. Whatever the receiver does, it ends in time and becomes an {@link Attempt}. */
import type { Attempt as AttemptMade } from '../domain/delivery.ts';
import { isFailure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { checkUrl } from './addresses.ts';
import { ask } from './ask.ts';
import { deadline, TimedOut } from './deadline.ts';
import { type DialParts, NoAnswer } from './dial.ts';
import { parseRetryAfter } from './schedule.ts';

/** For all of an attempt: look-up, connection, request and answer (Standard Webhooks: 15 to 30 s). */
const TIMEOUT_MS = 15_000;

/** So much of an answer is read, so that receivers get to finish; then the line is cut. */
const MAX_READ_BYTES = 64 * 1024;

/** So much of an answer is kept. */
const MAX_KEPT_BYTES = 1024;

export interface Delivery {
  readonly url: string;
  /** JSON, as it was signed. */
  readonly body: string;
  /** The signature. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface SendParts extends DialParts {
  readonly clock: Clock;
  /** 15 s where not given. */
  readonly timeoutMs?: number;
}

/** Why no status came. */
export type AttemptError =
  | NoAnswer['reason']
  /** No status within the time there is. */
  | 'timeout'
  /** The caller's signal: says nothing of the receiver. */
  | 'cancelled';

/** What is known of an attempt: exactly one of `status` and `error` is null. */
export interface Attempt extends AttemptMade {
  /** The first KiB of the answer's body, as text without NUL, which databases refuse; often empty. */
  readonly response: string;
  readonly error: AttemptError | null;
  /** What `Retry-After` asked for, 0 to a day; null where it was not sent. */
  readonly retryAfterMs: number | null;
}

/**
 * POSTs a webhook. Redirects are not followed: a 3xx is a status like others. Once there is a status it stands,
 * also where the body after it stalls, breaks off or never ends: the receiver has made up its mind, and telling a
 * receiver the same twice because of its small talk helps nobody.
 */
export async function sendWebhook(
  { url, body, headers }: Delivery,
  parts: SendParts,
  signal: AbortSignal,
): Promise<Attempt> {
  const { clock, rule, timeoutMs = TIMEOUT_MS } = parts;
  const startedMs = clock.monotonicMs();
  const elapsedMs = () => Math.round(clock.monotonicMs() - startedMs);
  const end = deadline(timeoutMs, clock, signal);
  try {
    const question = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'earshot-webhooks' },
      body,
    } as const;
    return await ask(checkUrl(url, rule), question, parts, end.signal, async (answer) => ({
      status: answer.status,
      response: await beginningOf(answer.body),
      durationMs: elapsedMs(),
      error: null,
      retryAfterMs: parseRetryAfter(answer.headers['retry-after'], clock.now()),
    }));
  } catch (error) {
    const word = wordOf(error, end.signal);
    return { status: null, response: '', durationMs: elapsedMs(), error: word, retryAfterMs: null };
  } finally {
    end.clear();
  }
}

/** What comes of a body within the bounds. */
async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const kept: Uint8Array[] = [];
  let keptBytes = 0;
  let readBytes = 0;
  try {
    for await (const chunk of body) {
      const piece = chunk.subarray(0, MAX_KEPT_BYTES - keptBytes);
      kept.push(piece);
      keptBytes += piece.length;
      readBytes += chunk.length;
      if (readBytes >= MAX_READ_BYTES) break;
    }
  } catch {
    // The status stands, whatever became of the body.
  }
  // As a stream that goes on: a character cut in two at the end is left out.
  return new TextDecoder().decode(Buffer.concat(kept), { stream: true }).replaceAll('\0', '\uFFFD');
}

function wordOf(error: unknown, signal: AbortSignal): AttemptError {
  if (signal.aborted) return signal.reason instanceof TimedOut ? 'timeout' : 'cancelled';
  if (error instanceof NoAnswer) return error.reason;
  if (isFailure(error, 'address_not_allowed')) return 'refused_address';
  // Nothing that a receiver did.
  throw error;
}
