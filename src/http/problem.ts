/** How failures look on the wire: RFC 9457 problem details over HTTP, an `error` message and a close code over WebSocket. */
import type { Context } from 'hono';
import { Failure, type FailureCode, reportOf } from '../domain/failure.ts';

interface Face {
  readonly status: number;
  readonly title: string;
  /** The WebSocket close code. */
  readonly close: number;
}

const FACES: Record<FailureCode, Face> = {
  bad_request: { status: 400, title: 'Bad request', close: 4400 },
  unsupported_option: { status: 400, title: 'Unsupported option', close: 4400 },
  bad_message: { status: 400, title: 'Malformed message', close: 4400 },
  unauthorized: { status: 401, title: 'Not authorised', close: 4401 },
  forbidden: { status: 403, title: 'Forbidden', close: 4401 },
  not_found: { status: 404, title: 'Not found', close: 4404 },
  method_not_allowed: { status: 405, title: 'Method not allowed', close: 4400 },
  conflict: { status: 409, title: 'Conflict', close: 1013 },
  idempotency_conflict: { status: 409, title: 'Idempotency key reused', close: 4409 },
  replaced: { status: 409, title: 'Replaced by a newer connection', close: 4409 },
  claim_lost: { status: 409, title: 'Taken over by another node', close: 4409 },
  session_ended: { status: 409, title: 'Session ended', close: 4410 },
  payload_too_large: { status: 413, title: 'Payload too large', close: 1009 },
  frame_too_large: { status: 413, title: 'Frame too large', close: 1009 },
  audio_undecodable: { status: 415, title: 'Audio cannot be decoded', close: 4415 },
  audio_empty: { status: 422, title: 'No audio', close: 4415 },
  audio_unreachable: { status: 502, title: 'Audio cannot be fetched', close: 4415 },
  audio_too_long: { status: 413, title: 'Audio too long', close: 4408 },
  session_too_long: { status: 413, title: 'Session too long', close: 4408 },
  idle_timeout: { status: 408, title: 'Idle', close: 4408 },
  address_not_allowed: { status: 400, title: 'Address not allowed', close: 4400 },
  not_redeliverable: { status: 409, title: 'Not redeliverable', close: 4400 },
  rate_limited: { status: 429, title: 'Too many requests', close: 1013 },
  overloaded: { status: 503, title: 'Overloaded', close: 1013 },
  shutting_down: { status: 503, title: 'Restarting', close: 1012 },
  storage_unavailable: { status: 503, title: 'Storage unavailable', close: 1013 },
  storage_full: { status: 507, title: 'Storage full', close: 1013 },
  recognition_failed: { status: 500, title: 'Recognition failed', close: 1011 },
  llm_timeout: { status: 504, title: 'Language model timed out', close: 1011 },
  llm_overloaded: { status: 503, title: 'Language model overloaded', close: 1013 },
  llm_unavailable: { status: 503, title: 'Language model unavailable', close: 1013 },
  llm_truncated: { status: 502, title: 'Language model broke off', close: 1011 },
  internal: { status: 500, title: 'Internal error', close: 1011 },
};

/** The status a failure has over HTTP. */
const statusOf = (code: FailureCode): number => FACES[code].status;

/** Whether an error is ours to look into. */
export const isServerFault = (error: unknown): boolean =>
  !(error instanceof Failure) || statusOf(error.code) >= 500;

/** The code a WebSocket is closed with because of a failure. */
export const closeCodeOf = (code: FailureCode): number => FACES[code].close;

/** Seconds to wait, where a failure without a word of its own is of the kind that passes. */
const DEFAULT_RETRY_AFTER_MS = 1000;

/** When to try again; undefined where trying again does not help. */
export function retryAfterMsOf(error: unknown): number | undefined {
  if (!(error instanceof Failure)) return undefined;
  const status = statusOf(error.code);
  return error.retryAfterMs ?? (status === 503 || status === 429 ? DEFAULT_RETRY_AFTER_MS : undefined);
}

/** A problem as it is sent. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Problem details of an error. Errors that are no {@link Failure} say nothing of themselves. */
export function problemOf(error: unknown, requestId: string): Problem {
  const { code, message } = reportOf(error);
  const { status, title } = FACES[code];
  const retryAfterMs = retryAfterMsOf(error);
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfterMs && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="earshot"' }),
    },
    body: JSON.stringify({ type: 'about:blank', title, status, detail: message, code, requestId }),
  };
}

/** An `application/problem+json` response. */
export function problem(c: Context, error: unknown): Response {
  const { status, headers, body } = problemOf(error, c.get('requestId'));
  return c.body(body, status as 400, headers);
}
