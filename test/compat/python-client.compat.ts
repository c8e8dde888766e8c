/** The Python client: built as a wheel, installed, and tried by its own tests against gateways of this one. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Earshot } from '../../src/client/earshot.ts';
import { blocksOf } from '../docs/examples.ts';
import { KnowingTranscriber } from '../faults/support/knowing-transcriber.ts';
import { freshFolder } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { TRANSCRIPTS } from '../support/speech.ts';

const root = join(import.meta.dirname, '..', '..');
const project = join(root, 'clients', 'python');
const KEY = 'a key that is long enough for a test of it'.replaceAll(' ', '-');
const { text } = TRANSCRIPTS['austen-0880.wav']!;

/** What `python3` says of itself; null where there is none, which is only put up with outside of CI. */
function pythonVersion(): string | null {
  try {
    return execFileSync('python3', ['--version'], { encoding: 'utf8' });
  } catch (error) {
    if (process.env.CI) throw error;
    console.log('There is no python3: the Python client is not tested.');
    return null;
  }
}
const version = pythonVersion();

const pyproject = readFileSync(join(project, 'pyproject.toml'), 'utf8');
const hash = createHash('sha256')
  .update(pyproject + version)
  .digest('hex')
  .slice(0, 16);
const venv = join(root, 'node_modules', '.earshot', `python-${hash}`);
const python = join(venv, 'bin', 'python');

/** Runs Python in the environment. @throws With what it printed. */
async function run(args: string[], env: Record<string, string> = {}, cwd = project): Promise<string> {
  const options = { cwd, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env } };
  try {
    return (await promisify(execFile)(python, args, { ...options, maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`python ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

/** The environment with all that the client and its tests need, made once for each pyproject.toml. */
async function prepare(): Promise<void> {
  const stamp = join(venv, 'complete');
  if (existsSync(stamp)) return;
  await rm(venv, { recursive: true, force: true });
  await mkdir(join(venv, '..'), { recursive: true });
  await promisify(execFile)('python3', ['-m', 'venv', venv]);
  const named = (list: string) =>
    [...new RegExp(`^${list} = \\[(.*)\\]$`, 'm').exec(pyproject)![1]!.matchAll(/"([^"]+)"/g)].map(
      ([, requirement]) => requirement!,
    );
  const wanted = [...named('requires'), ...named('dependencies'), ...named('test')];
  await run(['-m', 'pip', 'install', '--quiet', ...wanted]);
  await writeFile(stamp, '');
}

describe.skipIf(version === null)('the Python client', () => {
  let folder: Awaited<ReturnType<typeof freshFolder>>;
  let transcriber: KnowingTranscriber;
  let knowing: RunningGateway;
  let hearing: RunningGateway;
  beforeAll(async () => {
    folder = await freshFolder();
    await prepare();
    const build = ['--no-deps', '--no-build-isolation', '--quiet'];
    await run(['-m', 'pip', 'wheel', ...build, '--wheel-dir', folder.path, project]);
    const [wheel] = (await readdir(folder.path)).filter((name) => name.endsWith('.whl'));
    expect(wheel).toBe('earshot-0.1.0-py3-none-any.whl');
    const install = ['-m', 'pip', 'install', '--no-deps', '--force-reinstall', '--quiet'];
    await run([...install, join(folder.path, wheel!)]);
    transcriber = await KnowingTranscriber.start();
    [knowing, hearing] = await Promise.all([
      startGateway({ env: { ...transcriber.settings, API_KEYS: KEY } }),
      startGateway({ env: { STT_WORKERS: '1' } }),
    ]);
  }, 600_000);
  afterAll(async () => {
    await Promise.all([knowing?.stop(), hearing?.stop()]);
    await transcriber?.close();
    await folder?.remove();
  });

  const pytest = (marked: string, env: Record<string, string>) =>
    run(['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-m', marked], env);

  it('keeps its promises at a gateway, over a network that breaks', { timeout: 600_000 }, async () => {
    const printed = await pytest('not recogniser', { EARSHOT_URL: knowing.url, EARSHOT_KEY: KEY });
    expect(printed).toMatch(/^\d{2,} passed, 1 deselected/m);
  });

  it('hears words and an answer from the recogniser itself', { timeout: 600_000 }, async () => {
    expect(await pytest('recogniser', { EARSHOT_URL: hearing.url })).toMatch(/^1 passed/m);
  });

  it('has types that hold', { timeout: 600_000 }, async () => {
    // Its own, and those of the installed wheel, by which its tests are checked.
    for (const part of ['src', 'tests'])
      expect(await run(['-m', 'mypy', '--cache-dir', folder.path, part])).toMatch(/^Success/);
  });

  it('has the version of the gateway and its licence', async () => {
    const { version: ours } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const said = 'import importlib.metadata as m; print(m.version("earshot"))';
    expect((await run(['-c', said])).trim()).toBe(ours);
    const licence = (of: string) => readFileSync(join(of, 'LICENSE'), 'utf8');
    expect(licence(project)).toBe(licence(root));
  });

  describe('in docs/clients.md', () => {
    const examples = blocksOf(readFileSync(join(root, 'docs', 'clients.md'), 'utf8'), 'python');
    const [live, recording, feed] = examples.map((example) => () => {
      expect(examples).toHaveLength(3);
      return example
        .replaceAll('"http://127.0.0.1:8080"', JSON.stringify(knowing.url))
        .replaceAll(/Earshot\(("[^"]+")\)/g, `Earshot($1, "${KEY}")`);
    });

    it('streams', async () => {
      expect((await run(['-c', live!()], {}, root)).split('\n')).toEqual([
        text,
        expect.stringMatching(/^received \d+ ms$/),
        '',
      ]);
    });

    it('sends a recording', async () => {
      const printed = await run(['-c', recording!()], {}, root);
      expect(printed).toMatch(/^(\d+) of \1$/m);
      expect(printed).toContain(`\n${text}\n1\n00:00:0`);
    });

    it('follows everything from where it was', { timeout: 120_000 }, async () => {
      const client = new Earshot({ url: knowing.url, apiKey: KEY });
      /** Has the other example make a session, and gives its id. */
      const made = async (key: string) => {
        await run(['-c', recording!().replace('call-18', key)], {}, root);
        return (await client.sessions({ limit: 1 })).items[0]!.id;
      };
      /** Follows until a session's text is printed, and gives the sessions of which something was. */
      const follow = async (until: string): Promise<string[]> => {
        const child = spawn(python, ['-c', feed!()], {
          cwd: folder.path,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const closed = once(child, 'close');
        const ids: string[] = [];
        for await (const line of createInterface({ input: child.stdout })) {
          ids.push(line.split(' ')[0]!);
          if (line === `${until} ${text}`) break;
        }
        child.kill('SIGKILL');
        await closed;
        return ids;
      };
      const first = await made('call-19');
      expect((await follow(first)).at(-1)).toBe(first);
      const second = await made('call-20');
      const after = await follow(second);
      expect(after.at(-1)).toBe(second);
      // What was told when it was stopped may be told again, and nothing before it.
      expect([first, second]).toEqual(expect.arrayContaining(after));
    });
  });
});
