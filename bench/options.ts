/** The bench's command line. */
import { parseArgs } from 'node:util';
import { commandOf, whole } from './arguments.ts';

export interface BenchOptions {
  /** A short run to see that all is well: its figures are printed and not kept. */
  readonly quick: boolean;
  /** How often each clip is played to a single speaker's session. */
  readonly runs: number;
  /** Numbers of speakers at once, ascending; later ones are left out once one is too many. */
  readonly speakers: readonly number[];
  /** How long each of them speaks. */
  readonly speakersMs: number;
  readonly recordingMs: number;
  readonly seed: number;
  /** A checkpoint with its ONNX export, for the stock pipeline. */
  readonly stock: string | null;
  readonly fasterWhisper: { readonly python: string; readonly modelFolder: string } | null;
  /** The command that asks for the same again, with placeholders for what lies elsewhere on each machine. */
  readonly command: string;
}

export const USAGE = `npm run bench -- [options]

  --quick                          a short run, printed only
  --runs <n>                       each clip so often for a single speaker (6)
  --speakers <n,n,…>               speakers at once (1,2,4,8,16)
  --seed <n>                       of pauses, noise and order (1)
  --stock <folder>                 compare with transformers.js on this checkpoint and its ONNX export
  --faster-whisper <python>        compare with faster-whisper in this Python, with …
  --faster-whisper-model <folder>  … this CTranslate2 model`;

const DEFAULTS = {
  full: { runs: '6', speakers: '1,2,4,8,16', speakersMs: 30_000, recordingMs: 150_000 },
  quick: { runs: '1', speakers: '1,2', speakersMs: 12_000, recordingMs: 30_000 },
};

/** @throws Error where an option is unknown or has a value that cannot be used. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      speakers: { type: 'string' },
      seed: { type: 'string', default: '1' },
      stock: { type: 'string' },
      'faster-whisper': { type: 'string' },
      'faster-whisper-model': { type: 'string' },
    },
  });
  const defaults = values.quick ? DEFAULTS.quick : DEFAULTS.full;
  const { 'faster-whisper': python, 'faster-whisper-model': modelFolder, stock } = values;
  if (Boolean(python) !== Boolean(modelFolder))
    throw new Error('--faster-whisper and --faster-whisper-model go together');
  const speakers = (values.speakers ?? defaults.speakers)
    .split(',')
    .map((count) => whole('--speakers', count))
    .sort((a, b) => a - b);
  const given = [
    values.quick && '--quick',
    values.runs && `--runs ${values.runs}`,
    values.speakers && `--speakers ${values.speakers}`,
    values.seed !== '1' && `--seed ${values.seed}`,
    stock && '--stock <folder>',
    python && '--faster-whisper <python> --faster-whisper-model <folder>',
  ].filter((option): option is string => Boolean(option));
  return {
    quick: values.quick,
    runs: whole('--runs', values.runs ?? defaults.runs),
    speakers,
    speakersMs: defaults.speakersMs,
    recordingMs: defaults.recordingMs,
    seed: whole('--seed', values.seed),
    stock: stock ?? null,
    fasterWhisper: python && modelFolder ? { python, modelFolder } : null,
    command: commandOf('bench', given),
  };
}
