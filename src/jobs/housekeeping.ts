/** What has to be looked after from time to time: sessions nobody came back for, and those kept long enough. */
import type { Clock } from '../flow/clock.ts';
import type { Directory } from '../session/directory.ts';
import type { Store } from '../store/store.ts';
import type { Recordings } from './recordings.ts';

const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;

export interface HousekeepingParts {
  readonly store: Store;
  readonly directory: Directory;
  readonly recordings: Recordings;
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

  const round = async () => {
    try {
      await directory.sweep(resumeWindowMs);
      await recordings.sweep(clock.now());
      if (retentionHours > 0) await store.sessions.deleteEndedBefore(clock.now() - retentionHours * HOUR_MS);
    } catch (error) {
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
