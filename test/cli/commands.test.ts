/** The commands as a person runs them: real processes against a real gateway. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { errorRate, fixture, pcmOf, silence, TRANSCRIPTS } from '../support/speech.ts';

const KEY = 'a-key-for-the-command-tests-0123456789';
const YOUNG_MAN = fixture('austen-0880.wav');
const WOMAN = fixture('austen-0920.wav');
const NOWHERE = 'http://127.0.0.1:9';

let gateway: RunningGateway;
let folder: string;

// Real speech takes its time, all the more where others use the processor too.
vi.setConfig({ testTimeout: 90_000 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-cli-'));
  gateway = await startGateway({ env: { LLM: 'off', API_KEYS: KEY } });
});

afterAll(async () => {
  await gateway?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of `dist/cli` to its end; `onText` sees what it prints meanwhile. */
async function run(
  command: 'transcribe' | 'mic',
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onText: (interrupt: () => void) => void = () => {},
): Promise<Outcome> {
  const entry = new URL(`../../dist/cli/${command}.js`, import.meta.url).pathname;
  const child = spawn(process.execPath, [entry, ...args], {
    env: { PATH: process.env.PATH, EARSHOT_URL: gateway.url, EARSHOT_KEY: KEY, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', () => onText(() => child.kill('SIGINT')));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode, stdout, stderr };
}

const said = (file: string): string => TRANSCRIPTS[file]!.text;

describe('transcribe', () => {
  it('prints what is said in each file, in order', async () => {
    const { exitCode, stdout, stderr } = await run('transcribe', ['--language', 'en', YOUNG_MAN, WOMAN]);
    expect(exitCode).toBe(0);
    expect(errorRate(stdout, `${said('austen-0880.wav')} ${said('austen-0920.wav')}`)).toBeLessThanOrEqual(
      0.1,
    );
    expect(stdout.trim().split('\n')).toHaveLength(2);
    // No bar where nobody looks.
    expect(stderr).toBe(`${YOUNG_MAN}:\n${WOMAN}:\n`);
  });

  it('prints subtitles and JSON', async () => {
    const srt = await run('transcribe', ['--format', 'srt', YOUNG_MAN]);
    expect(srt.stdout).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n.*young man/);
    const json = await run('transcribe', ['--format', 'json', YOUNG_MAN]);
    expect(JSON.parse(json.stdout)).toMatchObject({ state: 'DONE', language: 'en' });
  });

  it('prints a line for each word with --words', async () => {
    const { exitCode, stdout } = await run('transcribe', ['--words', '--language', 'en', YOUNG_MAN]);
    expect(exitCode).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(6);
    for (const line of lines) expect(line).toMatch(/^\d\.\d{3}\t\d\.\d{3}\t[01]\.\d\d\t\S+$/);
    const text = lines.map((line) => line.split('\t')[3]).join(' ');
    expect(errorRate(text, said('austen-0880.wav'))).toBeLessThanOrEqual(0.1);
  });

  it('plays a recording in real time with --live', async () => {
    const { exitCode, stdout } = await run('transcribe', ['--live', YOUNG_MAN]);
    expect(exitCode).toBe(0);
    expect(errorRate(stdout, said('austen-0880.wav'))).toBeLessThanOrEqual(0.2);
  });

  it('goes on to the next file after one that cannot be read, and exits with 1', async () => {
    const noise = join(folder, 'notes.wav');
    await writeFile(noise, 'this is no sound');
    const { exitCode, stdout, stderr } = await run('transcribe', [noise, YOUNG_MAN]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/young man/);
    expect(stderr).toMatch(/audio_undecodable/);
    const live = await run('transcribe', ['--live', noise]);
    expect(live.exitCode).toBe(1);
    expect(live.stderr).not.toMatch(/\bat .*\.js/);
  });

  it('says how to start a gateway where none answers, and exits with 3', async () => {
    const { exitCode, stderr } = await run('transcribe', ['--url', NOWHERE, YOUNG_MAN]);
    expect(exitCode).toBe(3);
    expect(stderr).toBe(`No gateway answers at ${NOWHERE}. Start one with: npm start\n`);
  });

  it('says how to pass a key where one is asked for', async () => {
    const { exitCode, stderr } = await run('transcribe', [YOUNG_MAN], { EARSHOT_KEY: '' });
    expect(exitCode).toBe(1);
    expect(stderr).toBe('The gateway asks for a key: pass --key, or set EARSHOT_KEY.\n');
  });

  it.each([
    [[], 'Which file?'],
    [['--nonsense', YOUNG_MAN], "Unknown option '--nonsense'"],
    [['--format', 'docx', YOUNG_MAN], 'There is no format docx'],
    [['--format', 'srt', YOUNG_MAN, WOMAN], 'one file at a time'],
    [['--words', '--format', 'srt', YOUNG_MAN], '--words goes with'],
    [['--url', 'nonsense', YOUNG_MAN], 'Invalid URL'],
    [['missing.wav'], 'There is no file missing.wav.'],
  ])('explains wrong usage and exits with 2: %s', async (args, message) => {
    const { exitCode, stdout, stderr } = await run('transcribe', args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: npm run transcribe');
  });

  it('prints its help when asked', async () => {
    const { exitCode, stdout } = await run('transcribe', ['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('--format <format>');
  });
});

describe('mic', () => {
  /** Puts a program in the place of arecord that gives the fixture as its microphone, then what `after` does. */
  async function recorder(after: string): Promise<Record<string, string>> {
    const sound = join(folder, 'sound.raw');
    await writeFile(sound, Buffer.concat([silence(200), pcmOf('austen-0880.wav'), silence(1000)]));
    const program = join(folder, 'arecord');
    await writeFile(program, `#!/bin/sh\ncat '${sound}'\n${after}\n`);
    await chmod(program, 0o755);
    return { PATH: `${folder}:${process.env.PATH}` };
  }

  it('prints what the recorder hears while it still records, and ends well when it is interrupted', async () => {
    const env = await recorder('exec sleep 60');
    const { exitCode, stdout } = await run('mic', ['--language', 'en'], env, (interrupt) => interrupt());
    expect(exitCode).toBe(0);
    expect(errorRate(stdout, said('austen-0880.wav'))).toBeLessThanOrEqual(0.2);
  });

  it('passes on why a recorder gave up, and keeps what it heard', async () => {
    const env = await recorder('echo "no such device" >&2; exit 1');
    const { exitCode, stdout, stderr } = await run('mic', [], env);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/young man/);
    expect(stderr).toMatch(/arecord ended by itself after \d+ ms: no such device/);
  });

  it('names the programs to install where there is none', async () => {
    const { exitCode, stderr } = await run('mic', [], { PATH: folder.concat('-empty') });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/alsa-utils \(arecord\).*sox/s);
  });

  it('says how to start a gateway where none answers', async () => {
    const env = await recorder('');
    const { exitCode, stderr } = await run('mic', ['--url', NOWHERE], env);
    expect([exitCode, stderr]).toEqual([3, `No gateway answers at ${NOWHERE}. Start one with: npm start\n`]);
  });
});
