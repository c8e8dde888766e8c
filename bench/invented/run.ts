/**
 * Counts the words the gateway invents where nobody says any: in an hour each of silence, noise, hum and music,
 * played faster than real time to the real pipeline. `--help` lists the options.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { openVad, type VoiceActivityDetector } from '../../src/speech/vad.ts';
import { openRecogniser } from '../../src/whisper/recogniser.ts';
import type { Recogniser } from '../../src/whisper/recognition.ts';
import { commandOf } from '../arguments.ts';
import { describeMachine } from '../machine.ts';
import { keepMeasured } from '../report/document.ts';
import { goalTable } from '../report/goal.ts';
import { headingOf } from '../report/heading.ts';
import { audioFiles } from './files.ts';
import { listen } from './listen.ts';
import { goalsOf, type HeardSound, reportOf } from './report.ts';
import { type Sound, spliced } from './sound.ts';
import { chanceFor, KINDS, type Kind, SOUNDS } from './sounds.ts';

const USAGE = `npm run bench:invented -- [options]

Writes its own section of docs/performance.md where all kinds are played for an hour or more.

  --minutes <n>      of each kind of sound (60)
  --seed <n>         of the sounds (1)
  --only <kind,…>    of ${KINDS.join(', ')}
  --music <folder>   the audio files in it instead, once each; needs ffmpeg
  --texts            print every text that was shown or withheld`;

/** What the document speaks of. */
const FULL_MINUTES = 60;

const MODELS = join(import.meta.dirname, '..', '..', 'models');

interface Part {
  readonly kind: Kind;
  readonly name: string;
  readonly seconds: number;
  readonly sound: Sound;
}

function partsOf(kinds: readonly Kind[], minutes: number, seed: number): Part[] {
  return kinds.flatMap((kind) =>
    SOUNDS[kind].map(({ name, open }) => ({
      kind,
      name,
      seconds: (minutes * 60) / SOUNDS[kind].length,
      sound: open(chanceFor(seed, name)),
    })),
  );
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      minutes: { type: 'string', default: String(FULL_MINUTES) },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: KINDS.join(',') },
      music: { type: 'string' },
      texts: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const kinds = values.only.split(',').map(kindOf);
  const minutes = positive('--minutes', values.minutes);
  const parts = values.music
    ? (await audioFiles(values.music)).map(({ path, audio }) => ({
        kind: 'music' as const,
        name: basename(path),
        seconds: audio.length / SAMPLE_RATE_HZ,
        sound: spliced(() => audio),
      }))
    : partsOf(kinds, minutes, positive('--seed', values.seed));

  const cacheFolder = await mkdtemp(join(tmpdir(), 'earshot-bench-'));
  const opened: { close(): Promise<void> }[] = [];
  try {
    const modelFolder = join(MODELS, 'whisper-base');
    const vad = await openVad(join(MODELS, 'silero-vad', 'silero_vad_v6.onnx'));
    opened.push(vad);
    const recogniser = await openRecogniser({ modelFolder, cacheFolder, workers: 1, clock: systemClock });
    opened.push(recogniser);
    const heard = await listenToAll(parts, vad, recogniser);
    console.log([reportOf(heard, values.texts), goalTable(goalsOf(heard))].join('\n\n'));
    if (!values.music && minutes >= FULL_MINUTES && kinds.length === KINDS.length)
      await keep(heard, commandOf('bench:invented', args));
  } finally {
    for (const part of opened) await part.close();
    await rm(cacheFolder, { recursive: true });
  }
}

async function keep(heard: readonly HeardSound[], command: string): Promise<void> {
  const machine = describeMachine(new Date());
  const report = [headingOf(machine, command), reportOf(heard, false)].join('\n\n');
  await keepMeasured({ section: 'invented', machine, command, goals: goalsOf(heard), report });
  console.error('bench:invented: docs/performance.md is written');
}

async function listenToAll(parts: readonly Part[], vad: VoiceActivityDetector, recogniser: Recogniser) {
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  const format = '{bar} {percentage}% of {total} s, {eta_formatted} to go: {name}';
  const bar = new cliProgress.SingleBar({ stream: process.stderr, format, hideCursor: true });
  bar.start(Math.round(total), 0, { name: '' });
  const heard: HeardSound[] = [];
  let before = 0;
  for (const { kind, name, seconds, sound } of parts) {
    const tell = (at: number) => bar.update(Math.round(before + at), { name: `${kind}, ${name}` });
    heard.push({ kind, name, listening: await listen(sound, seconds, vad, recogniser, tell) });
    before += seconds;
  }
  bar.stop();
  return heard;
}

function kindOf(text: string): Kind {
  const kind = KINDS.find((known) => known === text);
  if (!kind) throw new Error(`--only: ${text} is none of ${KINDS.join(', ')}`);
  return kind;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name}: ${text} is not a number above 0`);
  return value;
}

await main(process.argv.slice(2));
