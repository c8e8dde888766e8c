/** What may be told of an error that the `openai` package threw: its own words can repeat what was sent. */
import { APIError } from 'openai';

/** What the operator's log may hold: bodies can repeat the key or the transcript, so only short codes pass. */
export function outline(error: unknown): string {
  if (!(error instanceof APIError)) return error instanceof Error ? error.name : 'unknown error';
  const below = error.cause instanceof Error ? (error.cause.cause ?? error.cause) : undefined;
  const code = [error.code, error.type, (below as { code?: unknown } | undefined)?.code].find(
    (value) => typeof value === 'string' && /^[\w.-]{1,64}$/.test(value),
  );
  return ['the endpoint', error.status ?? 'did not answer', code && `(${code})`].filter(Boolean).join(' ');
}

/**
 * How long an endpoint asks to wait, in ms; undefined where it does not say. RFC 9110, section 10.2.3: seconds or
 * an instant; and the milliseconds some servers send.
 * @param nowMs Wall clock, for an instant.
 */
export function retryAfterMsOf(headers: Headers | undefined, nowMs: number): number | undefined {
  const exactMs = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exactMs >= 0) return exactMs;
  const value = headers?.get('retry-after') ?? '';
  const seconds = Number(value);
  const ms = value === '' ? Number.NaN : Number.isNaN(seconds) ? Date.parse(value) - nowMs : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
