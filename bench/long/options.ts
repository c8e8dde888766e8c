/** The command line of `npm run bench:long`. */
import { parseArgs } from 'node:util';
import { commandOf, whole } from '../arguments.ts';

export const USAGE = `npm run bench:long -- [options]

Sends a gateway a long recording, and speech without a pause as a recording and live, and says whether
its memory stays flat and whether words are lost where speech is cut. Writes its own section of
docs/performance.md, unless it was told to be shorter.

  --minutes <n>    of the recording (120)
  --pauseless <n>  minutes without a pause, sent twice (10)
  --seed <n>       of pauses and order (1)
  --help           this text`;

export interface LongOptions {
  readonly recordingMs: number;
  readonly pauselessMs: number;
  readonly seed: number;
  /** Shorter than what the document speaks of: printed only. */
  readonly isShort: boolean;
  readonly help: boolean;
  /** What asks for the same again. */
  readonly command: string;
}

const FULL = { minutes: 120, pauseless: 10 };
const MINUTE_MS = 60_000;

/** @throws Error where an option is unknown or has a value that cannot be used. */
export function parseOptions(args: readonly string[]): LongOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: String(FULL.minutes) },
      pauseless: { type: 'string', default: String(FULL.pauseless) },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = whole('--minutes', values.minutes);
  const pauseless = whole('--pauseless', values.pauseless);
  return {
    recordingMs: minutes * MINUTE_MS,
    pauselessMs: pauseless * MINUTE_MS,
    seed: whole('--seed', values.seed),
    isShort: minutes < FULL.minutes || pauseless < FULL.pauseless,
    help: values.help,
    command: commandOf('bench:long', args),
  };
}
