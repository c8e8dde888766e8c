/** The command line of `npm run bench:models`. */
import { parseArgs } from 'node:util';
import { type ModelSize, SIZES } from './sizes.ts';

const NAMES = SIZES.map(({ name }) => name);

export const USAGE = `npm run bench:models -- [options]

Prints which sizes of Whisper this machine serves live, for how many speakers, and how fast it does
recordings. Sizes but base have random weights, which are as fast as real ones: this says nothing of
how well a size hears. All sizes take some minutes and up to 3 GB of the folder for temporary files.

  --sizes <name,name,…>  which sizes (${NAMES.join(',')})
  --help                 this text`;

export interface ModelsOptions {
  /** Smallest first. */
  readonly sizes: readonly ModelSize[];
  readonly help: boolean;
}

/** @throws Error where an option is unknown, or a size is. */
export function parseOptions(args: readonly string[]): ModelsOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: 'string', default: NAMES.join(',') },
      help: { type: 'boolean', default: false },
    },
  });
  const asked = values.sizes.split(',').map((name) => name.trim());
  const unknown = asked.find((name) => !NAMES.includes(name));
  if (unknown !== undefined)
    throw new Error(
      `--sizes: there is no ${unknown || 'size without a name'}; there are ${NAMES.join(', ')}`,
    );
  return { sizes: SIZES.filter(({ name }) => asked.includes(name)), help: values.help };
}
