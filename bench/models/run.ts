/** Which sizes of Whisper this machine serves. Prints a table; `--help` lists the options. */
import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism, freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareModel } from '../../src/whisper/prepare.ts';
import { expectedTensors } from '../../src/whisper/weights/tensor-names.ts';
import { describeMachine } from '../machine.ts';
import { megabytes } from '../report/format.ts';
import { capacityOf } from './capacity.ts';
import type { TimingEffort } from './costs.ts';
import { type ModelsOptions, parseOptions, USAGE } from './options.ts';
import { writeRandomCheckpoint } from './random-checkpoint.ts';
import { type MeasuredSize, reportOf } from './report.ts';
import { measureSideBySide } from './side-by-side.ts';
import type { ModelSize } from './sizes.ts';

/** The one whose real weights come along. */
const BUNDLED = join(import.meta.dirname, '..', '..', 'models', 'whisper-base');
const BUNDLED_SIZE = 'base';

/** Everything that is written, for as long as this runs. */
const root = mkdtempSync(join(tmpdir(), 'earshot-models-'));

const EFFORT: TimingEffort = { passes: [2, 9], budgetMs: 2_500 };

/** A worker's memory for each parameter: integers of one byte, and what is computed with them. */
const WORKER_BYTES_PER_PARAMETER = 2;

const say = (what: string): void => console.error(`bench:models: ${what}`);

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (!options) return;
  if (options.help) return console.log(USAGE);
  const machine = describeMachine(new Date());
  const measured: MeasuredSize[] = [];
  const leftOut: string[] = [];
  for (const size of options.sizes) {
    const outcome = await measure(size);
    if (typeof outcome === 'string') leftOut.push(outcome);
    else measured.push(outcome);
  }
  console.log(reportOf(machine, measured, leftOut));
}

/** Null where the command line cannot be understood, which is said. */
function readOptions(args: readonly string[]): ModelsOptions | null {
  try {
    return parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return null;
  }
}

/** @returns Why it was not measured, where it was not. */
async function measure(size: ModelSize): Promise<MeasuredSize | string> {
  const folder = join(root, size.name);
  const cores = availableParallelism();
  const step = (what: string) => say(`${size.name}: ${what}`);
  try {
    const modelFolder = size.name === BUNDLED_SIZE ? BUNDLED : join(folder, `whisper-${size.name}`);
    if (modelFolder !== BUNDLED) {
      step('weights are made up');
      await writeRandomCheckpoint(size, modelFolder, BUNDLED);
    }
    step('graphs are compiled');
    const { plan } = await prepareModel(modelFolder, join(folder, 'cache'));
    let parameters = 0;
    for (const { shape } of expectedTensors(plan.config).values())
      parameters += shape.reduce((product, side) => product * side, 1);
    const needed = cores * WORKER_BYTES_PER_PARAMETER * parameters;
    if (needed > freemem())
      return `${size.name} was left out: on ${cores} cores it needs ${megabytes(needed / 1e6)} of memory.`;
    const { costs, othersCores } = await measureSideBySide(plan, EFFORT, cores, (what) =>
      step(`timed: ${what}`),
    );
    return { size, parameters, costs, othersCores, capacity: capacityOf(costs, cores) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Weights by the gigabyte are not left behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    rmSync(root, { recursive: true, force: true });
    process.exit(1);
  });
try {
  await main(process.argv.slice(2));
} finally {
  rmSync(root, { recursive: true, force: true });
}
