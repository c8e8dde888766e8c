/** `npm run mic`: transcribes the microphone while somebody speaks. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { LiveStream } from '../client/live-stream.ts';
import { type ExitCode, runCommand, UsageError } from './command.ts';
import { GATEWAY_HELP, GATEWAY_OPTIONS, gatewayAt } from './gateway-address.ts';
import { findRecorder, NO_RECORDER, type RecorderProgram, record } from './recorder-program.ts';
import { TranscriptPrinter } from './transcript-printer.ts';

const HELP = `Usage: npm run mic -- [options]

Prints what is said into the microphone, until Ctrl+C. Records with arecord (alsa-utils) or sox.

  --language <tag>    ko, en, ja …; default: detected
${GATEWAY_HELP}

Exit codes: 0 all was transcribed, 1 something was not, 2 wrong usage, 3 no gateway answers.`;

let url = '';

await runCommand(
  HELP,
  () => url,
  async () => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { ...GATEWAY_OPTIONS, language: { type: 'string' } },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    if (positionals.length > 0) throw new UsageError('mic takes no files; npm run transcribe does.');
    const gateway = gatewayAt(values);
    url = gateway.url;
    const recorder = await findRecorder(process.env.PATH ?? '');
    if (!recorder) {
      console.error(NO_RECORDER);
      return 1;
    }
    const stream = await gateway.client.stream(values.language ? { language: values.language } : {}, {
      onStatus: (status) => status === 'reconnecting' && console.error('Connection lost; reconnecting …'),
    });
    const printer = new TranscriptPrinter(process.stdout, false);
    const printing = (async () => {
      for await (const event of stream) printer.print(event);
    })();
    const [exitCode] = await Promise.all([transmit(stream, recorder), printing]);
    return exitCode;
  },
);

/** Streams what the recorder hears until it ends or Ctrl+C; a second Ctrl+C waits for nothing. */
async function transmit(stream: LiveStream, recorder: RecorderProgram): Promise<ExitCode> {
  const child = record(recorder);
  const complaint = text(child.stderr);
  const closed = once(child, 'close');
  let isStopped = false;
  const stop = () => {
    if (isStopped) process.exit(130);
    isStopped = true;
    child.kill();
  };
  process.on('SIGINT', stop);
  stream.receipt.catch(stop);
  console.error(`Speak now; Ctrl+C ends. (${recorder.name})`);
  for await (const pcm of child.stdout) {
    await stream.ready();
    stream.send(pcm);
  }
  await closed;
  const { receivedMs } = await stream.end();
  if (isStopped) return 0;
  console.error(`${recorder.name} ended by itself after ${receivedMs} ms: ${(await complaint).trim()}`);
  return 1;
}
