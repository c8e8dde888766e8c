/** What a PostgreSQL did of the gateway's work, and how many speakers that makes. */
import { hundredths, NOTHING, table, times } from '../report/format.ts';

export interface Step {
  readonly name: string;
  /** How often a speaker causes it; 0 where readers do. */
  readonly perSpeakerSecond: number;
  /** How many the database did. */
  readonly perSecond: number;
}

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
  ].join('\n\n');
