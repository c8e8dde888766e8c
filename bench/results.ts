/** All that one run of the bench found out. */
import type { EngineMeasures } from './engines/measure.ts';
import type { LiveRun, SingleSpeaker } from './live/speakers.ts';
import type { Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { RecordingRun } from './recording.ts';

export interface Results {
  readonly machine: Machine;
  readonly options: Pick<BenchOptions, 'command' | 'runs' | 'speakersMs' | 'seed'>;
  readonly single: SingleSpeaker;
  /** By number of speakers, ascending. */
  readonly levels: readonly LiveRun[];
  /** Why the last level is the last, where more were asked for. */
  readonly stoppedBecause: string | null;
  readonly recording: RecordingRun;
  /** Null where the kernel does not tell. */
  readonly peakRssMb: number | null;
  /** This project's recogniser first, then its peers. */
  readonly engines: readonly EngineMeasures[];
  /** Peers that were not asked for, and how to. */
  readonly leftOut: readonly string[];
}
