/** Long recordings and speech without a pause, through a gateway of its own. `--help` lists the options. */
import { startGateway } from '../../test/support/gateway.ts';
import { readClips } from '../audio/clips.ts';
import { metered } from '../live/meter.ts';
import { describeMachine } from '../machine.ts';
import { keepMeasured } from '../report/document.ts';
import { goalTable } from '../report/goal.ts';
import { pauseless, withPauses } from './audio.ts';
import { watched } from './memory.ts';
import { type LongOptions, parseOptions, USAGE } from './options.ts';
import { goalsOf, type LongRun, reportOf } from './report.ts';
import { type SentLive, type SentRecording, sendLive, sendRecording } from './send.ts';

const say = (what: string): void => console.error(`bench:long: ${what}`);

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) return console.log(USAGE);
  const machine = describeMachine(new Date());
  const { command } = options;
  const runs = await measure(options);
  const report = reportOf(machine, command, runs);
  const goals = goalsOf(runs);
  console.log([report, goalTable(goals)].join('\n\n'));
  if (options.isShort) return;
  await keepMeasured({ section: 'long', machine, command, goals, report });
  say('docs/performance.md is written');
}

async function measure({ recordingMs, pauselessMs, seed }: LongOptions): Promise<LongRun[]> {
  const clips = readClips().filter(({ language }) => language === 'en');
  const speech = pauseless(clips, pauselessMs, seed);
  const gateway = await startGateway({ env: { LLM: 'off' } });
  const run = async (name: string, send: () => Promise<SentRecording | SentLive>): Promise<LongRun> => {
    say(name);
    const { result, usage } = await metered(gateway.url, () => watched(gateway.pid, send));
    return { name, sent: result.result, memory: result.memory, otherCores: usage.otherCores };
  };
  try {
    return [
      await run('a recording with pauses', () =>
        sendRecording(withPauses(clips, recordingMs, seed), gateway.url),
      ),
      await run('no pause, as a recording', () => sendRecording(speech, gateway.url)),
      await run('no pause, live', () => sendLive(speech, gateway.url)),
    ];
  } finally {
    await gateway.stop();
  }
}

await main(process.argv.slice(2));
