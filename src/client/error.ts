import type { FailureCode } from '../domain/failure.ts';
import type { Session } from '../domain/session.ts';

/** What can go wrong on this side of the wire; everything else is the gateway's own {@link FailureCode}. */
export type ClientErrorCode =
  /** No answer at all: wrong address, nothing running there, no network. */
  | 'unreachable'
  /** The connection was lost and could not be had again in time. */
  | 'connection_lost'
  /** The session went on without this client and cannot be joined again; `session` says what was stored. */
  | 'not_resumable'
  /** An answer that no gateway of this version gives: most likely something else answers at that address. */
  | 'unexpected_answer'
  /** More audio was handed over than may wait to be sent. */
  | 'buffer_full'
  /** Events came faster than they were read, and the bound was reached. */
  | 'reader_too_slow'
  /** The stream was given up by its owner. */
  | 'aborted';

/** What to branch on. */
export type ErrorCode = FailureCode | ClientErrorCode;

/** What is known of an error besides its code. */
export interface EarshotErrorDetails {
  readonly cause?: unknown;
  /** The HTTP status, or the WebSocket close code. */
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  /** How long to wait before trying again, where waiting helps. */
  readonly retryAfterMs?: number | undefined;
  /** The session as it stands on the gateway, where it could still be read. */
  readonly session?: Session | undefined;
}

/** The one error this library throws. Branch on `code`: it is stable; `message` is for people. */
export class EarshotError extends Error {
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly session: Session | undefined;

  constructor(code: ErrorCode, message: string, details: EarshotErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'EarshotError';
    this.code = code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.session = details.session;
  }

  /** The same error, with the session it befell. */
  withSession(session: Session | undefined): EarshotError {
    return new EarshotError(this.code, this.message, { ...this, cause: this.cause, session });
  }
}

const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unreachable',
  'connection_lost',
  'rate_limited',
  'overloaded',
  'storage_unavailable',
  'shutting_down',
  'internal',
]);

/** Whether the same request may well succeed a little later. */
export const mayPass = (error: unknown): error is EarshotError =>
  error instanceof EarshotError && PASSING.has(error.code);

/** Any error as one of this library's. */
export const asEarshotError = (error: unknown): EarshotError =>
  error instanceof EarshotError
    ? error
    : new EarshotError('unexpected_answer', error instanceof Error ? error.message : String(error), {
        cause: error,
      });
