/** Failures in the shape that OpenAI's clients read: `{ error: { message, type, param, code } }`. */
import type { Context } from 'hono';
import { Failure, type FailureCode, reportOf } from '../../domain/failure.ts';
import type { Env } from '../parts.ts';
import { problemOf, retryAfterMsOf } from '../problem.ts';

/** The kind of error by which OpenAI's documentation sorts statuses. */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** An error as it stands in a body or an event. */
export interface OpenAiError {
  readonly message: string;
  readonly type: string;
  /** The field at fault; null where it is none. */
  readonly param: string | null;
  readonly code: string;
}

/** The fields at fault of refusals that know theirs, which a {@link Failure} has no place for. */
export const params = new WeakMap<Failure, string>();

/** The codes of OpenAI's own that clients look for, of failures that have one. */
export const vendorCodes = new WeakMap<Failure, string>();

/** Where OpenAI's status is another, by which its clients choose the class of their error. */
const STATUSES: Partial<Record<FailureCode, number>> = { audio_undecodable: 400, audio_empty: 400 };

const statusOf = (error: unknown): number => STATUSES[reportOf(error).code] ?? problemOf(error, '').status;

/** An error as these clients read it, in a body, a frame or an event. */
export function openAiErrorOf(error: unknown): OpenAiError {
  const { code, message } = reportOf(error);
  const failure = error as Failure;
  return {
    message,
    type: typeOf(statusOf(error)),
    param: params.get(failure) ?? null,
    code: vendorCodes.get(failure) ?? code,
  };
}

/**
 * Whether the clients may send the same once more by themselves, where they would go by the status: not where that has
 * no chance, since each time is an upload and a session.
 */
const retries = (error: unknown): Record<string, string> =>
  error instanceof Failure && retryAfterMsOf(error) === undefined ? { 'x-should-retry': 'false' } : {};

/** Answers a request with an error. */
export function openAiProblem(c: Context<Env>, error: unknown): Response {
  const requestId = c.get('requestId');
  const { headers } = problemOf(error, requestId);
  return c.json({ error: openAiErrorOf(error) }, statusOf(error) as 400, {
    ...headers,
    ...retries(error),
    'content-type': 'application/json',
    'x-request-id': requestId,
  });
}
