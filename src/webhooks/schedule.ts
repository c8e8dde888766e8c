/**
 * When a webhook is tried again, and when no more: pure, so that the whole of it is a table. The delays are those
 * that the Standard Webhooks specification recommends; with the last attempt about 76 hours have passed.
 */
import type { Random } from '../flow/chance.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long to wait before attempt 1, 2, … 10, each counted from the one before, without jitter. */
export const DELAYS_MS = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;

export const MAX_ATTEMPTS = DELAYS_MS.length;

/** An endpoint that has taken nothing for so long is disabled. */
export const DISABLE_AFTER_MS = 5 * DAY_MS;

/** Delays are drawn from ± this share, so that what failed together does not come back together. */
const JITTER = 0.2;

/** A receiver may ask for patience, but not for ever. */
const MAX_RETRY_AFTER_MS = DAY_MS;

/** What came of an attempt, as far as the schedule cares. */
export interface Outcome {
  /** The HTTP status; null where none came. */
  readonly status: number | null;
  /** How long the receiver asked to wait, in ms; null where it did not. */
  readonly retryAfterMs: number | null;
}

/** What follows an attempt. */
export type Next =
  | { readonly kind: 'sent' }
  /** Try again after `delayMs`, counted from the end of the attempt. */
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** All attempts are spent. */
  | { readonly kind: 'given_up' }
  /** 410 Gone: the receiver wants nothing more, now or later (Standard Webhooks). */
  | { readonly kind: 'disable' };

/**
 * What follows attempt number `attemptsMade`.
 * @param attemptsMade 1 or more: the attempt that `outcome` is of counts.
 */
export function nextAttempt(attemptsMade: number, outcome: Outcome, random: Random): Next {
  const { status, retryAfterMs } = outcome;
  if (isSuccess(status)) return { kind: 'sent' };
  if (status === 410) return { kind: 'disable' };
  const tableMs = DELAYS_MS[attemptsMade];
  if (tableMs === undefined) return { kind: 'given_up' };
  const scheduledMs = Math.round(tableMs * (1 - JITTER + 2 * JITTER * random()));
  const honoursRetryAfter = status === 429 || status === 503;
  const askedMs = honoursRetryAfter ? Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) : 0;
  return { kind: 'retry', delayMs: Math.max(scheduledMs, askedMs) };
}

/** Whether a status says that the webhook was taken: any 2xx, and nothing else. */
export const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300;

/**
 * Whether an endpoint is to be disabled now.
 * @param failingSinceMs When the first of its attempts failed since the last that succeeded; null where the last
 * one did.
 */
export const isToBeDisabled = (failingSinceMs: number | null, nowMs: number): boolean =>
  failingSinceMs !== null && nowMs - failingSinceMs >= DISABLE_AFTER_MS;

/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or an instant.
 * @param nowMs Wall clock, for an instant.
 * @returns Milliseconds from now, 0 to a day; null where the header is absent or says nothing.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  const askedMs = /^\d+$/.test(text)
    ? Number(text) * SECOND_MS
    : text.endsWith(' GMT')
      ? Date.parse(text) - nowMs
      : Number.NaN;
  return Number.isNaN(askedMs) ? null : Math.min(Math.max(0, askedMs), MAX_RETRY_AFTER_MS);
}
