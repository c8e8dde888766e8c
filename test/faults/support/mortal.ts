/** The built gateway as a process that is killed, stopped and started again over the same data, at an address that stays. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freshFolder, layBlankDatabase } from '../../support/databases.ts';

const MAIN = new URL('../../../dist/main.js', import.meta.url).pathname;

/** Below the ports that systems lend to outgoing connections, one of which might else take the address meanwhile. */
const [FIRST_PORT, PORTS] = [20_000, 10_000];

/** The last lines of its log that are kept: warnings and worse. */
const MAX_LINES = 1000;

async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(FIRST_PORT + Math.floor(PORTS * Math.random()), '127.0.0.1');
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]).catch(() => false);
    const { port } = (server.address() ?? { port: 0 }) as AddressInfo;
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

export class Mortal {
  readonly url: string;
  readonly dataDir: string;
  /** Warnings and errors it logged, and what it said when it ended by itself. */
  readonly complaints: string[] = [];
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #closed: Promise<unknown> = Promise.resolve();

  private constructor(port: number, dataDir: string, env: Readonly<Record<string, string>>) {
    const { PATH = '', HOME = '' } = process.env;
    this.url = `http://127.0.0.1:${port}`;
    this.dataDir = dataDir;
    this.#env = { PATH, HOME, HOST: '127.0.0.1', PORT: String(port), DATA_DIR: dataDir, LLM: 'off', ...env };
  }

  /** Makes a data folder; nothing runs yet. @param env Added to a clean environment. */
  static async make(env: Readonly<Record<string, string>>): Promise<Mortal> {
    const { path } = await freshFolder();
    if (!env.DATABASE_URL) await layBlankDatabase(path);
    return new Mortal(await freePort(), path, env);
  }

  /** Of its database where that is embedded; only while it runs. */
  get embeddedUrl(): string {
    const folder = encodeURIComponent(join(this.dataDir, 'socket'));
    return `postgresql://postgres@localhost:5432/postgres?host=${folder}`;
  }

  /** Starts it, and resolves once it is ready: the instant, epoch ms; or null where it was killed before. */
  async start(): Promise<number | null> {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawn(process.execPath, [MAIN], { cwd: this.dataDir, env: this.#env, stdio: [...stdio] });
    this.#child = child;
    this.#closed = once(child, 'close');
    const ready = new Promise<number>((resolve) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        if (line.includes('"msg":"ready"')) resolve(Date.now());
        if (!/^\{"level":[1-3]0/.test(line)) this.#complain(line);
      });
      createInterface({ input: child.stderr! }).on('line', (line) => this.#complain(line));
    });
    const readyMs = await Promise.race([ready, this.#closed.then(() => null)]);
    if (readyMs === null && child.signalCode !== 'SIGKILL')
      throw new Error(`the gateway ended by itself:\n${this.complaints.join('\n')}`);
    return readyMs;
  }

  /** Whether it ended otherwise than by being told to. */
  get isAlive(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Kills it without warning; resolves with the instant, epoch ms. */
  async kill(): Promise<number> {
    const atMs = Date.now();
    this.signal('SIGKILL');
    await this.#closed;
    return atMs;
  }

  /** Ends it, and erases its data. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  #complain(line: string): void {
    this.complaints.push(line);
    if (this.complaints.length > MAX_LINES) this.complaints.shift();
  }
}
