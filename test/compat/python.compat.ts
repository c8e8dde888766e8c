/**
 * The vendors' Python SDKs, and the frameworks that are built on them, against a gateway of ours: none is changed, each is
 * given an address and a key. Run by `npm run test:compat`, as what they bring along takes minutes to install.
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway.ts';

const HERE = join(import.meta.dirname, 'python');
const REQUIREMENTS = join(HERE, 'requirements.txt');
const KEY = 'a-key-for-the-sdks-of-others';

/** Told apart by what is in it, so that a change makes a new one. */
const ENVIRONMENT = join(
  import.meta.dirname,
  '..',
  '..',
  'node_modules',
  '.earshot',
  `compat-${createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16)}`,
);

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import sys, venv; assert sys.version_info >= (3, 10)'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** Installs what the tests need, once. */
function makeEnvironment(): void {
  if (existsSync(ENVIRONMENT)) return;
  const making = `${ENVIRONMENT}-${process.pid}`;
  execFileSync('python3', ['-m', 'venv', making]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
  execFileSync(join(making, 'bin', 'python'), pip, { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    renameSync(making, ENVIRONMENT);
  } catch (error) {
    // Another was quicker.
    if (!existsSync(ENVIRONMENT)) throw error;
    rmSync(making, { recursive: true });
  }
}

/** Runs a file of tests; what it printed where it failed. */
function pytest(file: string, { url }: RunningGateway): Promise<string | null> {
  const env = { ...process.env, EARSHOT_URL: url, EARSHOT_KEY: KEY, PYTHONDONTWRITEBYTECODE: '1' };
  return new Promise((resolve) => {
    execFile(
      join(ENVIRONMENT, 'bin', 'python'),
      ['-m', 'pytest', file],
      { cwd: HERE, env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve(error ? `${stdout}\n${stderr}` : null),
    );
  });
}

const isPythonHere = hasPython();
if (!isPythonHere)
  console.warn('There is no Python 3.10 or newer: the Python SDKs and the frameworks are not tried.');

describe.skipIf(!isPythonHere)('clients in Python, as their vendors make them', () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    makeEnvironment();
    gateway = await startGateway({ env: { API_KEYS: KEY, LLM: 'off' } });
  }, 1_200_000);
  afterAll(() => gateway?.stop());

  const files = readdirSync(HERE).filter((name) => /^test_.*\.py$/.test(name));
  it.each(files)('%s', { timeout: 600_000 }, async (file) => {
    expect(await pytest(file, gateway)).toBeNull();
  });
});
