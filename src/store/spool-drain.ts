/**
 * Writes what waits in the spool to the database, one head after the other, for as long as anything waits. While
 * the database is away it tries again at growing intervals, and by that finds out for everybody when it is back.
 */
import { Failure, type FailureCode, isFailure } from '../domain/failure.ts';
import { type Clock, sleep, waitAtMost } from '../flow/clock.ts';
import type { Spool } from './spool.ts';
import type { SpoolEntry } from './spool-line.ts';
import type { EventLog } from './store.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 2_000;
/** How long `close` waits for an answer of the database. */
const CLOSE_TIMEOUT_MS = 2_000;

/** What no further try can change: the session has gone on, or gone, without these events. */
const OBSOLETE: ReadonlySet<FailureCode> = new Set(['claim_lost', 'not_found', 'session_ended']);

/** Whether the database did not answer, or has no room: either may pass. */
export const mayPass = (error: unknown): boolean =>
  isFailure(error, 'storage_unavailable') || isFailure(error, 'storage_full');

const isObsolete = (error: unknown): error is Failure => error instanceof Failure && OBSOLETE.has(error.code);

/** What came of a try: the head is gone, the database cannot take it for now, or it would not have it. */
type Outcome = 'moved' | 'away' | 'refused';

export interface DrainParts {
  readonly clock: Clock;
  /** Told of entries that are dropped, or not accepted for now, and of a spool that fails. */
  readonly onError: (error: unknown) => void;
  /** Told of what has been stored that waited: up to which seq of a session. */
  readonly onStored: (sessionId: string, seq: number) => void;
}

/** Tells which events an error is about; never what is in them. */
function about(error: unknown, what: string, { sessionId, events }: SpoolEntry): Error {
  const message = `Events ${events[0]!.seq} to ${events.at(-1)!.seq} of ${sessionId} ${what}.`;
  return error instanceof Failure
    ? new Failure(error.code, message, { cause: error })
    : new Error(message, { cause: error });
}

export class SpoolDrain {
  /** Whether the database is known to be away, or full: nothing needs to be tried on it but the head. */
  isAway = false;
  readonly #log: EventLog;
  readonly #spool: Spool;
  readonly #parts: DrainParts;
  readonly #stop = new AbortController();
  /** Sessions with something that waits, of which something was dropped: why, and of which claim. */
  readonly #dropped = new Map<string, { readonly fence: number; readonly failure: Failure }>();
  #running: Promise<void> | null = null;
  #toldDamaged = 0;

  constructor(log: EventLog, spool: Spool, parts: DrainParts) {
    this.#log = log;
    this.#spool = spool;
    this.#parts = parts;
  }

  /** Why nothing more can come of a session's claim; null where that is not known. */
  failureOf(sessionId: string, fence: number): Failure | null {
    const dropped = this.#dropped.get(sessionId);
    return dropped && fence <= dropped.fence ? dropped.failure : null;
  }

  /** Begins, where it has not begun: to be called whenever something was added to the spool. */
  start(): void {
    this.#tellDamage();
    this.#running ??= this.#run();
  }

  /**
   * Resolves once nothing waits; rejects with the signal's reason.
   * @throws Failure `shutting_down` where it was closed before.
   */
  async whenDone(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal!.reason);
    });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      while (this.#running) await Promise.race([this.#running, aborted]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    if (this.#spool.waiting > 0)
      throw new Failure('shutting_down', 'The spool was closed before it was empty.');
  }

  /** Stops, after the try that is under way where that gets an answer soon. */
  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#running) await waitAtMost(this.#parts.clock, CLOSE_TIMEOUT_MS, this.#running);
  }

  async #run(): Promise<void> {
    // Not at once, so that `#running` is set before it can be taken back.
    await null;
    let [delayMs, refusals] = [FIRST_DELAY_MS, 0];
    while (this.#spool.waiting > 0 && !this.#stop.signal.aborted)
      switch (await this.#step()) {
        case 'moved':
          [delayMs, refusals] = [FIRST_DELAY_MS, 0];
          break;
        case 'away':
          await this.#pause(delayMs);
          delayMs = Math.min(2 * delayMs, LONGEST_DELAY_MS);
          break;
        case 'refused':
          // Only when all of those that wait were tried is there nothing else to do.
          if (++refusals < this.#spool.sessions) break;
          await this.#pause(LONGEST_DELAY_MS);
          refusals = 0;
      }
    this.#running = null;
  }

  async #step(): Promise<Outcome> {
    try {
      const head = await this.#spool.head();
      this.#tellDamage();
      return head ? await this.#replay(head) : 'moved';
    } catch (error) {
      // The spool's own: it cannot be read, or what is drained cannot be deleted.
      if (!this.#stop.signal.aborted) this.#parts.onError(error);
      await this.#pause(LONGEST_DELAY_MS);
      return 'moved';
    }
  }

  async #replay(head: SpoolEntry): Promise<Outcome> {
    const { sessionId, fence, events } = head;
    const dropped = this.#dropped.get(sessionId);
    let error: unknown = null;
    if (dropped?.fence === fence) error = dropped.failure;
    else {
      error = await this.#log.replay(sessionId, events, fence).then(
        () => null,
        (reason: unknown) => reason,
      );
      this.isAway = mayPass(error);
    }
    if (mayPass(error)) {
      // Another session's next time: it may be this one alone that gets no answer, as it is locked.
      this.#spool.postpone();
      return 'away';
    }
    if (isObsolete(error)) {
      this.#parts.onError(about(error, 'are dropped', head));
      this.#dropped.set(sessionId, { fence, failure: error });
    } else if (error !== null) {
      this.#parts.onError(about(error, 'are not accepted, and wait', head));
      this.#spool.postpone();
      return 'refused';
    }
    if (error === null) this.#parts.onStored(sessionId, events.at(-1)!.seq);
    const removed = this.#spool.removeHead();
    if (!this.#spool.has(sessionId)) this.#dropped.delete(sessionId);
    await removed;
    return 'moved';
  }

  #tellDamage(): void {
    const lines = this.#spool.damaged - this.#toldDamaged;
    if (lines === 0) return;
    this.#toldDamaged += lines;
    this.#parts.onError(new Error(`${lines} lines of the spool are damaged: their events are lost.`));
  }

  /** Cut short where it is to stop. */
  async #pause(delayMs: number): Promise<void> {
    await sleep(this.#parts.clock, delayMs, this.#stop.signal).catch(() => {});
  }
}
