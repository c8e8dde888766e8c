import { APIConnectionError, APIError } from 'openai';
import { Failure } from '../domain/failure.ts';
import { outline, retryAfterMsOf } from '../openai/error.ts';

/** Why an endpoint would not begin to answer, by what helps. */
export interface Refusal {
  /**
   * `passing`: try again. `too_long`: cut the prompt. `limit_name`: it wants the answer's length under another
   * name. `final`: nothing helps.
   */
  readonly kind: 'passing' | 'too_long' | 'limit_name' | 'final';
  /** How long the endpoint asks to wait. */
  readonly retryAfterMs: number | undefined;
  /** What to fail with when nothing helped. It holds nothing of what the endpoint wrote. */
  readonly failure: Failure;
}

/** Every server words it differently: OpenAI and vLLM "context length", llama.cpp "context size", "context window". */
const TOO_LONG = /context[ _]?(length|size|window)/i;

/** Reads what the `openai` package threw. @param nowMs Wall clock, for a Retry-After that names an instant. */
export function refusalOf(error: unknown, nowMs: number): Refusal {
  const cause = new Error(outline(error));
  if (!(error instanceof APIError) || error.status === undefined) {
    const message = 'The language model could not be reached.';
    const kind = error instanceof APIConnectionError ? 'passing' : 'final';
    return { kind, retryAfterMs: undefined, failure: new Failure('llm_unavailable', message, { cause }) };
  }
  const { status } = error;
  const retryAfterMs = retryAfterMsOf(error.headers, nowMs);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const fail = (code: 'llm_unavailable' | 'llm_overloaded', message: string) =>
    new Failure(code, message, { cause, ...wait });

  if (status === 429 || status === 503) {
    const failure = fail('llm_overloaded', 'The language model has too much to do. Try again later.');
    return { kind: 'passing', retryAfterMs, failure };
  }
  if (status === 408 || status === 409 || status >= 500) {
    const failure = fail('llm_unavailable', 'The language model could not answer.');
    return { kind: 'passing', retryAfterMs, failure };
  }
  const failure = fail('llm_unavailable', 'The language model would not take the request.');
  const said = `${error.code} ${error.type} ${error.message}`;
  if (TOO_LONG.test(said)) return { kind: 'too_long', retryAfterMs, failure };
  if (said.includes('max_completion_tokens')) return { kind: 'limit_name', retryAfterMs, failure };
  return { kind: 'final', retryAfterMs, failure };
}
