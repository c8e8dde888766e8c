import { APIConnectionError, APIError } from 'openai';
import * as z from 'zod';
import { Failure } from '../domain/failure.ts';
import { outline, retryAfterMsOf } from '../openai/error.ts';

/** Why an endpoint did not answer, by what helps. */
export interface Refusal {
  /** `passing`: try again. `form`: ask for less. `final`: nothing helps. */
  readonly kind: 'passing' | 'form' | 'final';
  /** How long the endpoint asks to wait. */
  readonly retryAfterMs: number | undefined;
  /** What to fail with when nothing helped. It holds nothing of what the endpoint wrote. */
  readonly failure: Failure;
}

/** The endpoint did not answer in time. */
export class TooSlow extends Error {
  constructor(limitMs: number) {
    super(`the endpoint took longer than ${limitMs} ms`);
    this.name = 'TooSlow';
  }
}

/** Reads what asking threw. @param nowMs Wall clock, for a Retry-After that names an instant. */
export function refusalOf(error: unknown, nowMs: number): Refusal {
  const failed = (kind: Refusal['kind'], message: string, cause = new Error(outline(error))): Refusal => ({
    kind,
    retryAfterMs: undefined,
    failure: new Failure('recognition_failed', message, { cause }),
  });
  if (error instanceof TooSlow)
    return failed('passing', 'The speech recogniser did not answer in time.', error);
  if (error instanceof z.ZodError)
    return failed('final', 'The speech recogniser answered in a form that is not understood.');
  if (!(error instanceof APIError) || error.status === undefined) {
    // A body that breaks off is no APIError: half of a JSON text, or a socket that closed.
    const passes =
      error instanceof APIConnectionError || error instanceof SyntaxError || error instanceof TypeError;
    return failed(passes ? 'passing' : 'final', 'The speech recogniser could not be reached.');
  }
  const { status } = error;
  const retryAfterMs = retryAfterMsOf(error.headers, nowMs);
  if (status === 429 || status === 503) {
    const message = 'The speech recogniser has too much to do. Try again later.';
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    const failure = new Failure('overloaded', message, { cause: new Error(outline(error)), ...wait });
    return { kind: 'passing', retryAfterMs, failure };
  }
  if (status === 408 || status === 409 || status >= 500)
    return { ...failed('passing', 'The speech recogniser could not answer.'), retryAfterMs };
  return failed(
    status === 400 || status === 422 ? 'form' : 'final',
    'The speech recogniser would not take the request.',
  );
}
