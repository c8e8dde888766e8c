/** HTTP requests that outlast a bad connection, for fetching models. */
import { type Clock, sleep } from '../../flow/clock.ts';
import { ModelError } from '../../models/model-error.ts';

export interface RequestOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** A connection over which nothing comes for so long is given up. */
const STALL_MS = 30_000;
/** Waits before another attempt, while attempts bring nothing new; then we give up. */
const BACKOFF_MS = [500, 2_000, 8_000];

/** An answer whose body is being read. */
export interface Reading {
  readonly response: Response;
  /** To be called when something has come. */
  alive(): void;
}

/**
 * Makes a GET request and has its answer read; both end with an error where nothing comes for 30 s.
 *
 * @throws ModelError `missing` where the server refuses for good (4xx but 408, 416, 429); Error where another
 * attempt may fare better; the signal's reason when aborted.
 */
export async function get<T>(
  url: string,
  headers: Record<string, string>,
  { clock, signal }: RequestOptions,
  read: (reading: Reading) => Promise<T>,
): Promise<T> {
  const stalled = new AbortController();
  const watch = () =>
    clock.after(STALL_MS, () => stalled.abort(new Error(`nothing came for ${STALL_MS / 1000} s`)));
  let cancelWatch = watch();
  const alive = () => {
    cancelWatch();
    cancelWatch = watch();
  };
  try {
    const response = await fetch(url, {
      // A compressed answer could not be continued by position.
      headers: { 'accept-encoding': 'identity', ...headers },
      signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
    });
    const { status } = response;
    if (response.ok || status === 416) return await read({ response, alive });
    await response.body?.cancel();
    if (status >= 500 || status === 408 || status === 429)
      throw new Error(`the server answered with status ${status}`);
    throw new ModelError('missing', `${url} is not to be had: the server answered with status ${status}`);
  } finally {
    cancelWatch();
  }
}

/**
 * Tries until it works. A {@link ModelError} is final; after any other error there is another attempt, with
 * longer and longer waits, and anew while attempts get further than any before.
 *
 * @param reached How far the attempts have come; what it counts is the caller's affair.
 * @throws ModelError `unreachable` with the last error as its cause; the signal's reason when aborted.
 */
export async function persist<T>(
  what: string,
  { clock, signal }: RequestOptions,
  attempt: () => Promise<T>,
  reached: () => Promise<number> = async () => 0,
): Promise<T> {
  let furthest = await reached();
  let fruitless = 0;
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ModelError) throw error;
      const now = await reached();
      fruitless = now > furthest ? 0 : fruitless + 1;
      furthest = Math.max(furthest, now);
      const waitMs = BACKOFF_MS[Math.max(0, fruitless - 1)];
      if (waitMs === undefined)
        throw new ModelError('unreachable', `${what} could not be fetched: ${reasonOf(error)}`, error);
      await sleep(clock, waitMs, signal);
    }
  }
}

/** What is behind fetch's "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
