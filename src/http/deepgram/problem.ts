/** Failures in the shape that Deepgram's clients read: `{ err_code, err_msg, request_id }`. */
import type { Context } from 'hono';
import { reportOf } from '../../domain/failure.ts';
import type { Env } from '../parts.ts';
import { problemOf } from '../problem.ts';

/** Answers a request with an error. */
export function deepgramProblem(c: Context<Env>, error: unknown): Response {
  const requestId = c.get('requestId');
  const { status, headers } = problemOf(error, requestId);
  const { code, message } = reportOf(error);
  const body = { err_code: code.toUpperCase(), err_msg: message, request_id: requestId };
  return c.json(body, status as 400, { ...headers, 'content-type': 'application/json', 'dg-error': message });
}
