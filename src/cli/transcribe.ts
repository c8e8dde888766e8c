/** `npm run transcribe -- file…`: sends recordings to a gateway and prints what is said in them. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { Earshot } from '../client/earshot.ts';
import type { SessionRequest } from '../client/wire.ts';
import { type ExitCode, explain, runCommand, UsageError } from './command.ts';
import { GATEWAY_HELP, GATEWAY_OPTIONS, gatewayAt } from './gateway-address.ts';
import { streamRecording } from './stream-recording.ts';
import { TranscriptPrinter } from './transcript-printer.ts';
import { uploadRecording } from './upload-recording.ts';

const HELP = `Usage: npm run transcribe -- [options] <file>…

Prints what is said in recordings (wav, mp3, flac, ogg, webm, m4a, mp4), line by line as it is recognised.

  --language <tag>    ko, en, ja …; default: detected
  --format <format>   txt (default), srt, vtt or json
  --words             a line for each word: start, end, confidence, word
  --live              send the recording in real time, as if it were spoken now
${GATEWAY_HELP}

Exit codes: 0 all transcribed, 1 something was not, 2 wrong usage, 3 no gateway answers.`;

const FORMATS = { txt: 'text', srt: 'srt', vtt: 'vtt', json: 'json' } as const;
type Format = keyof typeof FORMATS;

const isFormat = (name: string): name is Format => Object.hasOwn(FORMATS, name);

function readArguments() {
  const { values, positionals: files } = parseArgs({
    allowPositionals: true,
    options: {
      ...GATEWAY_OPTIONS,
      language: { type: 'string' },
      format: { type: 'string', default: 'txt' },
      words: { type: 'boolean', default: false },
      live: { type: 'boolean', default: false },
    },
  });
  const { format, words } = values;
  if (values.help) return null;
  if (files.length === 0) throw new UsageError('Which file?');
  if (!isFormat(format))
    throw new UsageError(`There is no format ${format}: txt, srt, vtt and json are known.`);
  if (words && format !== 'txt') throw new UsageError('--words goes with --format txt only.');
  if (format !== 'txt' && files.length > 1)
    throw new UsageError(`--format ${format} takes one file at a time.`);
  return { ...values, format, files };
}

let url = '';

await runCommand(
  HELP,
  () => url,
  async () => {
    const asked = readArguments();
    if (!asked) {
      console.log(HELP);
      return 0;
    }
    const gateway = gatewayAt(asked);
    url = gateway.url;
    let exitCode: ExitCode = 0;
    for (const file of asked.files) {
      if (!(await stat(file).catch(() => null))?.isFile()) throw new UsageError(`There is no file ${file}.`);
    }
    for (const file of asked.files) {
      if (asked.files.length > 1) console.error(`${file}:`);
      try {
        await transcribe(gateway.client, file, asked);
      } catch (error) {
        if (asked.files.length === 1) throw error;
        console.error(explain(error, () => url));
        exitCode = 1;
      }
    }
    return exitCode;
  },
);

type Asked = NonNullable<ReturnType<typeof readArguments>>;

async function transcribe(
  client: Earshot,
  file: string,
  { format, language, words, live }: Asked,
): Promise<void> {
  const request: SessionRequest = {
    ...(language && { language }),
    ...(words && { words }),
    metadata: { name: basename(file) },
  };
  const printer = format === 'txt' ? new TranscriptPrinter(process.stdout, words) : null;
  const send = live ? streamRecording : uploadRecording;
  const sessionId = await send(client, file, request, (event) => printer?.print(event));
  if (!printer) process.stdout.write(await client.transcript(sessionId, FORMATS[format]));
}
