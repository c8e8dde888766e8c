/** An hour of several speakers, through a gateway of its own. `--help` lists the options. */
import { startGateway } from '../../test/support/gateway.ts';
import { readClips } from '../audio/clips.ts';
import { type LiveRun, manySpeakers } from '../live/speakers.ts';
import { watched } from '../long/memory.ts';
import { describeMachine } from '../machine.ts';
import { keepMeasured } from '../report/document.ts';
import { goalTable } from '../report/goal.ts';
import { parseOptions, type SoakOptions, USAGE } from './options.ts';
import { goalsOf, reportOf, type Soak } from './report.ts';

const say = (what: string): void => console.error(`bench:soak: ${what}`);

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) return console.log(USAGE);
  const machine = describeMachine(new Date());
  const { command } = options;
  const soak = await measure(options);
  const report = reportOf(machine, command, soak);
  const goals = goalsOf(soak);
  console.log([report, goalTable(goals)].join('\n\n'));
  if (options.isShort) return;
  await keepMeasured({ section: 'soak', machine, command, goals, report });
  say('docs/performance.md is written');
}

async function measure({ rounds, speakers, seed }: SoakOptions): Promise<Soak> {
  const clips = readClips();
  const gateway = await startGateway({ env: { LLM: 'off' } });
  try {
    const { result, memory } = await watched(gateway.pid, async () => {
      const runs: LiveRun[] = [];
      for (const [at, lengthMs] of rounds.entries()) {
        say(`round ${at + 1} of ${rounds.length}`);
        runs.push(await manySpeakers(clips, speakers, lengthMs, seed + at, gateway.url));
      }
      return runs;
    });
    return { speakers, rounds: result, memory };
  } finally {
    await gateway.stop();
  }
}

await main(process.argv.slice(2));
