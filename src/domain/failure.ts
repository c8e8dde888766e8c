/**
 * What can go wrong, by name. A code is part of the interface: clients branch on it, so a code is never
 * renamed and its meaning never changes. `http/problem.ts` alone knows their HTTP statuses and close codes.
 */
export type FailureCode =
  | 'bad_request'
  | 'unsupported_option'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'idempotency_conflict'
  | 'payload_too_large'
  | 'audio_undecodable'
  | 'audio_empty'
  | 'audio_too_long'
  /** A recording given by its address could not be fetched: no answer, or none with audio. */
  | 'audio_unreachable'
  | 'address_not_allowed'
  | 'not_redeliverable'
  | 'rate_limited'
  | 'overloaded'
  | 'storage_unavailable'
  | 'storage_full'
  | 'internal'
  /** A WebSocket message that is not JSON, or JSON of no known shape. */
  | 'bad_message'
  | 'frame_too_large'
  | 'session_ended'
  /** Another node has taken the session over. */
  | 'claim_lost'
  | 'replaced'
  | 'idle_timeout'
  | 'session_too_long'
  | 'shutting_down'
  /** The recogniser could not finish a piece of work, after a retry. */
  | 'recognition_failed'
  | 'llm_timeout'
  | 'llm_overloaded'
  | 'llm_unavailable'
  | 'llm_truncated';

/** A stored or sent account of a failure: never a stack, a path or another tenant's data. */
export interface FailureReport {
  readonly code: FailureCode;
  readonly message: string;
}

/**
 * The one error type that crosses folders. `message` is written for the client and says what to do next where
 * there is something to do; what only the operator should see goes into `cause`.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  /** How long to wait before trying again, where waiting helps. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureCode, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'Failure';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What may be told of any error: a {@link Failure} speaks for itself, everything else is `internal`. */
export function reportOf(error: unknown): FailureReport {
  if (error instanceof Failure) return { code: error.code, message: error.message };
  return { code: 'internal', message: 'Something went wrong on our side. The log has the details.' };
}

/** Whether an error is the {@link Failure} of that code. */
export const isFailure = (error: unknown, code: FailureCode): error is Failure =>
  error instanceof Failure && error.code === code;
