/** What has to be looked after from time to time: sessions nobody came back for, and those kept long enough. */
import type { Clock } from '../flow/clock.ts';
import type { Directory } from '../session/directory.ts';
import type { SessionStore, Store } from '../store/store.ts';
import type { Recordings } from './recordings.ts';

const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;

/**
 * For so long after the database was away, and after a start that may have been in the midst of that, no session is
 * taken for abandoned: whose node was only cut off needs a moment to renew its claim, and to store what waits with it.
 */
const AFTER_OUTAGE_MS = 30_000;
const AFTER_START_MS = 20_000;

export interface HousekeepingParts {
  readonly store: Pick<Store, 'kind' | 'ping'> & {
    readonly sessions: Pick<SessionStore, 'deleteEndedBefore'>;
  };
  readonly directory: Pick<Directory, 'sweep'>;
  readonly recordings: Pick<Recordings, 'sweep'>;
  readonly clock: Clock;
  readonly resumeWindowMs: number;
  /** 0: for ever. */
  readonly retentionHours: number;
  readonly onError: (error: unknown) => void;
}

/** Begins at once and goes on until the returned function is called. */
export function startHousekeeping(parts: HousekeepingParts): () => void {
  const { store, directory, recordings, clock, resumeWindowMs, retentionHours, onError } = parts;
  let stopped = false;
  let cancel = () => {};
  let [sweepFromMs, sweepLiveFromMs] = [0, 0];
  const wait = (delayMs: number) => {
    sweepFromMs = clock.monotonicMs() + delayMs;
    // While the database was away, no client could come back: its window begins when it can.
    sweepLiveFromMs = clock.monotonicMs() + Math.max(delayMs, resumeWindowMs);
  };
  // An embedded database has no other nodes, and its claims were ended when this one started.
  if (store.kind === 'postgres') wait(AFTER_START_MS);

  const round = async () => {
    try {
      await store.ping();
      if (clock.monotonicMs() >= sweepLiveFromMs) await directory.sweep(resumeWindowMs);
      if (clock.monotonicMs() >= sweepFromMs) await recordings.sweep(clock.now());
      if (retentionHours > 0) await store.sessions.deleteEndedBefore(clock.now() - retentionHours * HOUR_MS);
    } catch (error) {
      wait(AFTER_OUTAGE_MS);
      onError(error);
    }
    if (!stopped) cancel = clock.after(EVERY_MS, () => void round());
  };

  void round();
  return () => {
    stopped = true;
    cancel();
  };
}
