/** Starts `gateway-process.mjs`, a real process that can be killed for real. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { threadEntry } from '../../src/flow/thread.ts';

const SCRIPT = fileURLToPath(new URL('./gateway-process.mjs', import.meta.url));
/** The built store: a bare Node cannot read TypeScript. */
const OPEN_STORE = threadEntry(
  new URL('../../src/store/open-store.ts', import.meta.url).href,
  './open-store.js',
);

export class GatewayProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exited: Promise<unknown>;
  #wake = () => {};

  constructor(dataDir: string, sessionId: string) {
    this.#child = spawn(process.execPath, [SCRIPT, OPEN_STORE.href, dataDir, sessionId], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'close');
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The last line printed; read it after the end to have all of them. */
  get lastLine(): string {
    return this.#lines.at(-1) ?? '';
  }

  /** Resolves once so many lines were printed, or the process ended. */
  async printed(count: number): Promise<void> {
    const enough = (async () => {
      while (this.#lines.length < count)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    })();
    await Promise.race([enough, this.#exited]);
  }

  /** Resolves with the exit code once it has ended by itself. */
  async ended(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }

  /** Kills it without warning. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
