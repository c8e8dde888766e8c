/** Every bench whose goals stand in docs/performance.md, one after the other. `--help` tells the rest. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const USAGE = `npm run bench:all -- [options of npm run bench]

Runs bench, bench:invented, bench:long and bench:soak in full, some two hours, and writes docs/performance.md
with all goals in one table. The machine is to do nothing else meanwhile.`;

/** What makes two runs comparable to the documented ones is that they are run in full. */
const RUNS = ['run.ts', 'invented/run.ts', 'long/run.ts', 'soak/run.ts'];

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(USAGE);
  for (const [at, file] of RUNS.entries()) {
    const options = at === 0 ? args : [];
    const script = join(import.meta.dirname, file);
    const child = spawn(process.execPath, [...process.execArgv, script, ...options], { stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    // The others are worth having all the same.
    if (code !== 0) {
      console.error(`bench:all: ${file} ended with ${code}`);
      process.exitCode = 1;
    }
  }
}

await main(process.argv.slice(2));
