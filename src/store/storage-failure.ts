/** What a database error means to the rest of the house. */
import { Failure } from '../domain/failure.ts';

/** Of postgres.js and of Node's sockets: no answer was had. */
const UNREACHABLE = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

/**
 * Of PostgreSQL (errcodes appendix): connection exceptions, short of resources, cancelled or shutting down,
 * not yet started, read-only after a fail-over, and a refused login, which only the operator can mend.
 */
const UNAVAILABLE = /^(08...|53...|57...|25006|28...|3D000)$/;

/** Values that PostgreSQL cannot hold, such as U+0000 in an id, or a number or an instant out of range. */
const UNTENABLE = /^22(003|007|008|021|P05)$/;

const DISK_FULL = '53100';
const FOREIGN_KEY = '23503';
const UNIQUE = '23505';

/** The error with a code under what wraps it: drizzle's own message repeats a query's values, which may be speech. */
function rootOf(error: unknown): (Error & { readonly code: string }) | null {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string') return at as Error & { code: string };
  return null;
}

/** How long a client may wait before it tries again while the database is away. */
const RETRY_AFTER_MS = 2_000;

/** The database did not answer; `cause` is for the log. */
export function storageUnavailable(cause: unknown): Failure {
  return new Failure('storage_unavailable', 'The database cannot be reached. Try again shortly.', {
    cause,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/**
 * A {@link Failure} where the error has a meaning outside this folder; otherwise the error itself, a bug. What
 * is returned quotes no stored text.
 */
export function storageFailure(error: unknown): unknown {
  if (error instanceof Failure) return error;
  const cause = rootOf(error);
  if (cause === null) return error;
  const { code } = cause;
  if (code === DISK_FULL) return new Failure('storage_full', 'The database is full.', { cause });
  if (code === FOREIGN_KEY) return new Failure('not_found', 'There is no such session.', { cause });
  if (code === UNIQUE) return new Failure('conflict', 'It exists already.', { cause });
  if (UNTENABLE.test(code))
    return new Failure('bad_request', 'A value is out of range, or holds characters that cannot be stored.', {
      cause,
    });
  return UNREACHABLE.has(code) || UNAVAILABLE.test(code) ? storageUnavailable(cause) : cause;
}
