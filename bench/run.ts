/**
 * Measures the gateway on real speech and writes docs/performance.md. Everything is described there; `--help`
 * lists the options. Missed goals are printed and change nothing of the exit code: a busy machine is no bug.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../test/support/gateway.ts';
import { type Clip, readClips } from './audio/clips.ts';
import { openEarshot } from './engines/earshot.ts';
import type { Engine } from './engines/engine.ts';
import { openFasterWhisper } from './engines/faster-whisper.ts';
import { type EngineEffort, type EngineMeasures, measureEngine } from './engines/measure.ts';
import { openTransformers } from './engines/transformers.ts';
import { peakRssMb } from './live/meter.ts';
import { type LiveRun, manySpeakers, oneSpeaker } from './live/speakers.ts';
import { describeMachine } from './machine.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { transcribeRecording } from './recording.ts';
import { DOCS, keepMeasured } from './report/document.ts';
import { ms } from './report/format.ts';
import { type Goal, goalTable } from './report/goal.ts';
import { goalsOf } from './report/goals.ts';
import { plotsOf } from './report/plots.ts';
import { reportOf } from './report/report.ts';
import type { Results } from './results.ts';

/** More speakers are not tried once the finals come later than this after the speech, p95. */
const TOO_LATE_MS = 1500;

const EFFORT = {
  full: { repeats: 5, windowSeconds: [1, 2, 5, 10, 15, 20, 28], throughputMs: 8000 },
  quick: { repeats: 1, windowSeconds: [1, 5, 20], throughputMs: 1500 },
} satisfies Record<string, EngineEffort>;

const say = (what: string): void => console.error(`bench: ${what}`);

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(USAGE);
  const options = parseOptions(args);
  const machine = describeMachine(new Date());
  const clips = readClips();
  const served = await measureGateway(clips, options);
  const engines = await measureEngines(clips, options);
  const results: Results = { machine, options, ...served, ...engines };

  const report = reportOf(results);
  const goals = goalsOf(results);
  console.log([report, goalTable(goals)].join('\n\n'));
  if (!options.quick) await keep(results, report, goals);
}

async function measureGateway(clips: readonly Clip[], { seed, ...options }: BenchOptions) {
  say('the gateway starts');
  const gateway = await startGateway({ env: { LLM: 'off' } });
  try {
    // What happens only once, such as filling caches, is no part of any delay.
    await oneSpeaker(clips.slice(0, 1), 1, seed, gateway.url);
    say('one speaker at a time');
    const single = await oneSpeaker(clips, options.runs, seed, gateway.url);
    const ramp = await moreAndMore(options.speakers, (speakers) =>
      manySpeakers(clips, speakers, options.speakersMs, seed, gateway.url),
    );
    say('a recording');
    const recording = await transcribeRecording(clips, options.recordingMs, seed, gateway.url);
    return { single, ...ramp, recording, peakRssMb: await peakRssMb(gateway.pid) };
  } finally {
    await gateway.stop();
  }
}

/** One level after the other, until one is too much. */
async function moreAndMore(counts: readonly number[], measure: (speakers: number) => Promise<LiveRun>) {
  const levels: LiveRun[] = [];
  for (const speakers of counts) {
    say(`speakers at once: ${speakers}`);
    try {
      const run = await measure(speakers);
      levels.push(run);
      const late = run.finalMs?.p95 ?? Number.POSITIVE_INFINITY;
      if (late > TOO_LATE_MS)
        return {
          levels,
          stoppedBecause: `With ${speakers}, finals came later than ${ms(TOO_LATE_MS)} (p95).`,
        };
    } catch (error) {
      return { levels, stoppedBecause: `${speakers} were too many: ${(error as Error).message}` };
    }
  }
  return { levels, stoppedBecause: null };
}

async function measureEngines(clips: readonly Clip[], { quick, stock, fasterWhisper }: BenchOptions) {
  const cacheFolder = await mkdtemp(join(tmpdir(), 'earshot-bench-'));
  const opened: (() => Promise<Engine>)[] = [() => openEarshot(cacheFolder)];
  const leftOut: string[] = [];
  if (stock) for (const dtype of ['q8', 'fp32'] as const) opened.push(() => openTransformers(stock, dtype));
  else leftOut.push('transformers.js was not asked for: `--stock <folder>`.');
  if (fasterWhisper) opened.push(() => openFasterWhisper(fasterWhisper.python, fasterWhisper.modelFolder));
  else
    leftOut.push(
      'faster-whisper was not asked for: `--faster-whisper <python> --faster-whisper-model <folder>`.',
    );

  const engines: EngineMeasures[] = [];
  try {
    for (const open of opened) {
      const engine = await open();
      say(engine.name);
      engines.push(await measureEngine(engine, clips, quick ? EFFORT.quick : EFFORT.full));
      await engine.close();
    }
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
  return { engines, leftOut };
}

async function keep(results: Results, report: string, goals: readonly Goal[]): Promise<void> {
  const { machine, options } = results;
  await keepMeasured({ section: 'measured', machine, command: options.command, goals, report });
  for (const [name, svg] of plotsOf(results)) await writeFile(join(DOCS, name), svg);
  say('docs/performance.md is written');
}

await main(process.argv.slice(2));
