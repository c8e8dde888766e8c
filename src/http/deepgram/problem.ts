/** Failures in the shapes that Deepgram's clients read: `{ err_code, err_msg, request_id }`, and closes with a reason. */
import type { Context } from 'hono';
import { type Failure, type FailureCode, reportOf } from '../../domain/failure.ts';
import type { Env } from '../parts.ts';
import { closeCodeOf, problemOf } from '../problem.ts';
import { uuidOf } from './uuid.ts';

/** The most that the reason of a close may have (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/** Policy violation: what the client did cannot be gone on with. */
const CLIENTS_FAULT = 1008;

/** Headers are bytes: what is no printable ASCII would break them. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

/** Answers a request with an error. */
export function deepgramProblem(c: Context<Env>, error: unknown): Response {
  const requestId = uuidOf(c.get('requestId'));
  const { status, headers } = problemOf(error, requestId);
  const { code, message } = reportOf(error);
  const body = { err_code: code.toUpperCase(), err_msg: message, request_id: requestId };
  return c.json(body, status as 400, {
    ...headers,
    'content-type': 'application/json',
    'dg-error': headerText(message),
    'dg-request-id': requestId,
  });
}

/** What Deepgram calls a failure where it has a name and a close code for it. */
const VENDORS: Partial<Record<FailureCode, { readonly close: number; readonly name: string }>> = {
  idle_timeout: { close: 1011, name: 'NET-0001' },
  audio_undecodable: { close: 1008, name: 'DATA-0000' },
};

/** With what a connection is closed because of a failure. */
export function closeOf({ code, message }: Failure): { readonly code: number; readonly reason: string } {
  const own = closeCodeOf(code);
  const { close, name } = VENDORS[code] ?? {
    // Codes from 4000 on are of our own interface.
    close: own < 4000 ? own : CLIENTS_FAULT,
    name: code.toUpperCase(),
  };
  return { code: close, reason: shortened(`${name}: ${message}`) };
}

/** As much as fits, without half a character at the end. */
const shortened = (text: string): string =>
  new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, MAX_REASON_BYTES), { stream: true });
