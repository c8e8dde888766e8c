/** The built gateway as a process of its own, on a free port and a data folder that is erased afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { layBlankDatabase } from './databases.ts';
import { cacheFolder } from './recogniser.ts';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

export interface RunningGateway {
  readonly pid: number;
  readonly url: string;
  readonly dataDir: string;
  /** What it logged so far, line by line. */
  readonly output: readonly string[];
  /** Asks it to stop, and resolves with its exit code once it has. Its data stays, for `startGateway({ dataDir })`. */
  terminate(): Promise<number | null>;
  /** The same, and erases its data. */
  stop(): Promise<number | null>;
  /** Kills it without warning. Its data stays. */
  kill(): Promise<void>;
}

export interface GatewayOptions {
  /** Added to a clean environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** An earlier gateway's data; erased by `stop()` like any other. */
  readonly dataDir?: string;
}

/** A folder such as a first start leaves it, which is what most tests need not sit through. */
async function freshData(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'earshot-test-'));
  await layBlankDatabase(dataDir);
  await mkdir(cacheFolder, { recursive: true });
  await symlink(cacheFolder, join(dataDir, 'cache'));
  return dataDir;
}

/** Starts the gateway and waits until it is ready. @throws where it ends before, with what it printed. */
export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const dataDir = options.dataDir ?? (await freshData());
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    cwd: dataDir,
    env: { PATH, HOME, HOST: '127.0.0.1', PORT: '0', DATA_DIR: dataDir, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const output: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const take = (line: string) => {
      output.push(line);
      const ready = /"url":"([^"]+)".*"msg":"ready"/.exec(line);
      if (ready) resolve(ready[1]!);
    };
    createInterface({ input: child.stdout }).on('line', take);
    createInterface({ input: child.stderr }).on('line', take);
    closed.then(() => reject(new Error(`the gateway ended before it was ready:\n${output.join('\n')}`)));
  });
  const ready = await fetch(new URL('/ready', url));
  if (!ready.ok) throw new Error(`the gateway says it is ready, but /ready answers ${ready.status}`);
  const terminate = async () => {
    child.kill('SIGTERM');
    await closed;
    return child.exitCode;
  };
  return {
    pid: child.pid!,
    url,
    dataDir,
    output,
    terminate,
    async stop() {
      const code = await terminate();
      await rm(dataDir, { recursive: true, force: true });
      return code;
    },
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
