/** The command line of `npm run bench:soak`. */
import { parseArgs } from 'node:util';
import { commandOf, whole } from '../arguments.ts';

export const USAGE = `npm run bench:soak -- [options]

Has several people speak to a gateway for an hour, in sessions of five minutes, and says whether its memory and
its delays stay as they are. Writes its own section of docs/performance.md, unless it was told to be shorter.

  --minutes <n>   in all (60)
  --speakers <n>  at once (8)
  --seed <n>      of pauses and order (1)
  --help          this text`;

export interface SoakOptions {
  /** How long each session is; the last one may be shorter. */
  readonly rounds: readonly number[];
  readonly speakers: number;
  readonly seed: number;
  /** Shorter than what the document speaks of: printed only. */
  readonly isShort: boolean;
  readonly help: boolean;
  /** What asks for the same again. */
  readonly command: string;
}

const FULL = { minutes: 60, speakers: 8 };
const ROUND_MINUTES = 5;
const MINUTE_MS = 60_000;

/** @throws Error where an option is unknown or has a value that cannot be used. */
export function parseOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: String(FULL.minutes) },
      speakers: { type: 'string', default: String(FULL.speakers) },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = whole('--minutes', values.minutes);
  const speakers = whole('--speakers', values.speakers);
  const rounds: number[] = [];
  for (let left = minutes; left > 0; left -= ROUND_MINUTES)
    rounds.push(Math.min(left, ROUND_MINUTES) * MINUTE_MS);
  return {
    rounds,
    speakers,
    seed: whole('--seed', values.seed),
    isShort: minutes < FULL.minutes || speakers < FULL.speakers,
    help: values.help,
    command: commandOf('bench:soak', args),
  };
}
