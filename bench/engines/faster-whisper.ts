import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Engine } from './engine.ts';

const SCRIPT = join(import.meta.dirname, 'faster_whisper_lines.py');

interface Answer {
  readonly text: string;
  readonly cpuSeconds: number;
}

/**
 * faster-whisper in a Python process of its own: int8, beam 1, no second try at a higher temperature, a thread a core.
 * @param python An interpreter that can import `faster_whisper`.
 * @param modelFolder A Whisper model in CTranslate2's format.
 * @throws Error where the process ends before it answered; what it printed is on standard error.
 */
export async function openFasterWhisper(python: string, modelFolder: string): Promise<Engine> {
  const child = spawn(python, [SCRIPT, modelFolder, String(availableParallelism())], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextAnswer = async (): Promise<Answer> => {
    const { value, done } = await answers.next();
    if (done) throw new Error('faster-whisper ended before it answered');
    return JSON.parse(value);
  };
  const ask = (request: object): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return nextAnswer();
  };
  const folder = await mkdtemp(join(tmpdir(), 'earshot-bench-'));
  const file = join(folder, 'audio.f32');
  await nextAnswer();
  const transcribe: Engine['transcribe'] = async (audio, language) => {
    await writeFile(file, audio);
    return (await ask({ audio: file, language })).text;
  };
  return {
    name: 'faster-whisper int8',
    atOnce: 1,
    transcribe,
    follow: (language) => (audio) => transcribe(audio, language),
    cpuSeconds: async () => (await ask({})).cpuSeconds,
    async close() {
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
