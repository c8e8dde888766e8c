/** What a PostgreSQL did of the gateway's work, and what so many speakers take of nodes and databases. */
import { hundredths, NOTHING, table, times } from '../report/format.ts';

export interface Step {
  readonly name: string;
  /** How often a speaker causes it; 0 where readers do. */
  readonly perSpeakerSecond: number;
  /** How many the database did. */
  readonly perSecond: number;
}

/** A node of two cores, as docs/performance.md has it: below what it can follow, so that partials stay young. */
const NODE = { cores: 2, speakers: 16, gigabytes: 1.2 };
/** The share of its time that a database is kept busy; beyond it, waits grow. */
const BUSY_SHARE = 0.5;
const SPEAKERS = [16, 100, 1_000, 10_000, 100_000];

/** Speakers whose steps a database does, if it does nothing else: each step takes its share of the time. */
export const speakersFor = (steps: readonly Step[]): number =>
  1 / steps.reduce((share, { perSpeakerSecond, perSecond }) => share + perSpeakerSecond / perSecond, 0);

export const reportOf = (steps: readonly Step[], sessions: number): string =>
  [
    table(
      ['', 'a speaker, a second', `the database, a second, for ${sessions} sessions at a time`],
      steps.map(({ name, perSpeakerSecond, perSecond }) => [
        name,
        perSpeakerSecond === 0 ? NOTHING : hundredths(perSpeakerSecond),
        times(perSecond),
      ]),
    ),
    `Speakers whose steps that database does, doing nothing else: ${times(speakersFor(steps))}.`,
    table(
      ['speakers at once', 'nodes of two cores', 'cores', 'memory, GB', 'finals a second', 'such databases'],
      SPEAKERS.map((speakers) => rowOf(speakers, steps)),
    ),
  ].join('\n\n');

function rowOf(speakers: number, steps: readonly Step[]): string[] {
  const nodes = Math.ceil(speakers / NODE.speakers);
  return [
    times(speakers),
    times(nodes),
    times(nodes * NODE.cores),
    times(nodes * NODE.gigabytes),
    times(speakers * steps[0]!.perSpeakerSecond),
    times(databasesFor(speakers, steps)),
  ];
}

/** Databases like the measured one, each kept busy for half of its time. */
export const databasesFor = (speakers: number, steps: readonly Step[]): number =>
  Math.ceil(speakers / (BUSY_SHARE * speakersFor(steps)));
