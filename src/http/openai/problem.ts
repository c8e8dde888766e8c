/** Failures in the shape that OpenAI's clients read: `{ error: { message, type, param, code } }`. */
import type { Context } from 'hono';
import { type Failure, reportOf } from '../../domain/failure.ts';
import type { Env } from '../parts.ts';
import { problemOf } from '../problem.ts';

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

export function openAiErrorOf(error: unknown): OpenAiError {
  const { code, message } = reportOf(error);
  const { status } = problemOf(error, '');
  return { message, type: typeOf(status), param: params.get(error as Failure) ?? null, code };
}

/** Answers a request with an error. */
export function openAiProblem(c: Context<Env>, error: unknown): Response {
  const requestId = c.get('requestId');
  const { status, headers } = problemOf(error, requestId);
  return c.json({ error: openAiErrorOf(error) }, status as 400, {
    ...headers,
    'content-type': 'application/json',
    'x-request-id': requestId,
  });
}
