/**
 * Counts what the guards withhold of real speech, clean and under noise, and what a second try brings back. Every
 * text withheld here is a false positive, since somebody says something in every file. `--help` lists the options.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import { seeded } from '../../src/flow/chance.ts';
import { utterances } from '../../src/speech/utterances.ts';
import { openVad, type VoiceActivityDetector } from '../../src/speech/vad.ts';
import { openModel, type Transcription, type WhisperModel } from '../../src/whisper/model.ts';
import { prepareModel } from '../../src/whisper/prepare.ts';
import { table } from '../report/format.ts';
import { type AudioFile, audioFiles } from './files.ts';
import { underNoise } from './noise.ts';
import { chanceFor } from './sounds.ts';

const USAGE = `npm run bench:withheld -- --speech <folder> [options]

  --speech <folder>   audio files in which somebody speaks; may be given again; needs ffmpeg
  --every <n>         only every n-th file (1)
  --snr <dB,…>        pink noise so much below the speech; "clean" for none (clean,20,10,5,0)
  --likely <code>     the language that the session is taken to have been in
  --seed <n>          of the noise (1)
  --texts             print every text that was withheld or brought back
  --json <file>       write all that is known of every utterance`;

const MODELS = join(import.meta.dirname, '..', '..', 'models');

interface Utterance {
  readonly file: string;
  readonly snr: string;
  readonly seconds: number;
  /** Whether a guard fired and it was decoded again, and how long all of it took. */
  readonly triedAgain: boolean;
  readonly ms: number;
  readonly heard: Transcription;
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      speech: { type: 'string', multiple: true, default: [] },
      every: { type: 'string', default: '1' },
      snr: { type: 'string', default: 'clean,20,10,5,0' },
      likely: { type: 'string' },
      seed: { type: 'string', default: '1' },
      texts: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  if (values.help || values.speech.length === 0) return console.log(USAGE);
  const every = Number(values.every);
  const folders = await Promise.all(values.speech.map(audioFiles));
  const files = folders.flat().filter((_, i) => i % every === 0);
  const snrs = values.snr.split(',');
  const cacheFolder = await mkdtemp(join(tmpdir(), 'earshot-bench-'));
  const vad = await openVad(join(MODELS, 'silero-vad', 'silero_vad_v6.onnx'));
  try {
    const { plan } = await prepareModel(join(MODELS, 'whisper-base'), cacheFolder);
    let draws = 0;
    const model = await openModel(plan, () => {
      const random = seeded(1);
      return () => {
        draws++;
        return random();
      };
    });
    const bar = new cliProgress.SingleBar({ stream: process.stderr, hideCursor: true });
    bar.start(files.length * snrs.length, 0);
    const all: Utterance[] = [];
    for (const snr of snrs)
      for (const file of files) {
        const audio = mixed(file, snr, Number(values.seed));
        for (const spoken of await spokenIn(audio, vad)) {
          draws = 0;
          const startedMs = performance.now();
          const heard = await transcribed(spoken, model, values.likely ?? null);
          const ms = performance.now() - startedMs;
          const seconds = spoken.length / 16_000;
          all.push({ file: basename(file.path), snr, seconds, triedAgain: draws > 0, ms, heard });
        }
        bar.increment();
      }
    bar.stop();
    await model.release();
    if (values.json) await writeFile(values.json, JSON.stringify(all));
    console.log(
      table(
        HEAD,
        snrs.map((snr) =>
          rowOf(
            snr,
            all.filter((utterance) => utterance.snr === snr),
          ),
        ),
      ),
    );
    if (values.texts) for (const line of all.flatMap(textOf)) console.log(line);
  } finally {
    await vad.close();
    await rm(cacheFolder, { recursive: true });
  }
}

const mixed = ({ path, audio }: AudioFile, snr: string, seed: number): Float32Array =>
  snr === 'clean' ? audio : underNoise(audio, Number(snr), chanceFor(seed, basename(path)));

/** The utterances as a live session cuts them. */
async function spokenIn(audio: Float32Array, vad: VoiceActivityDetector): Promise<Float32Array[]> {
  async function* whole() {
    yield audio;
  }
  const found: Float32Array[] = [];
  for await (const event of utterances(whole(), vad.stream(), DEFAULT_OPTIONS.endpointing))
    if (event.kind === 'ended') found.push(event.audio);
  return found;
}

function transcribed(
  audio: Float32Array,
  model: WhisperModel,
  likelyLanguage: string | null,
): Promise<Transcription> {
  const beginning = { prompt: null, prefix: null, draft: [], utterance: null, words: false } as const;
  return model.transcribe({ audio, language: null, likelyLanguage, ...beginning, urgency: 'recording' });
}

const HEAD = [
  'noise, dB below',
  'utterances',
  'withheld',
  'by reason',
  'tried again',
  'brought back',
  'ms a try',
];

function rowOf(snr: string, heard: readonly Utterance[]): string[] {
  const withheld = heard.filter((utterance) => utterance.heard.suppressed !== null);
  const reasons = new Map<string, number>();
  for (const { heard } of withheld) reasons.set(heard.suppressed!, (reasons.get(heard.suppressed!) ?? 0) + 1);
  const again = heard.filter(({ triedAgain }) => triedAgain);
  const back = again.filter(({ heard }) => heard.suppressed === null);
  const mean = (of: readonly Utterance[]) => of.reduce((sum, { ms }) => sum + ms, 0) / Math.max(1, of.length);
  return [
    snr,
    String(heard.length),
    `${withheld.length} (${((100 * withheld.length) / Math.max(1, heard.length)).toFixed(2)} %)`,
    [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ') || '–',
    String(again.length),
    String(back.length),
    `${mean(heard.filter(({ triedAgain }) => !triedAgain)).toFixed(0)} / ${mean(again).toFixed(0)}`,
  ];
}

const textOf = ({ file, snr, heard, triedAgain }: Utterance): string[] =>
  heard.suppressed !== null || triedAgain
    ? [`${file}, ${snr}: ${heard.suppressed ?? 'brought back'}: ${JSON.stringify(heard.text)}`]
    : [];

await main(process.argv.slice(2));
