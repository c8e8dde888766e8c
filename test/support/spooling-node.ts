import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../src/domain/failure.ts';
import { Spool } from '../../src/store/spool.ts';
import { type SpooledLog, spooledLog } from '../../src/store/spooled-log.ts';
import { FakeClock } from './fake-clock.ts';
import type { Connection, MemoryLog } from './memory-log.ts';

/** Room for whatever a test spools. */
export const ROOMY = 10_000_000;

/** A process with its spool: it can be killed, and another takes up what it left. */
export class SpoolingNode {
  readonly clock = new FakeClock();
  readonly errors: unknown[] = [];
  /** What was stored that had waited, e.g. `a 3`. */
  readonly stored: string[] = [];
  readonly spool: Spool;
  readonly log: SpooledLog;
  readonly #path: string;
  readonly #connection: Connection;
  readonly #database: MemoryLog;
  #isKilled = false;
  #isClosed = false;

  private constructor(path: string, spool: Spool, database: MemoryLog) {
    this.#path = path;
    this.#database = database;
    this.spool = spool;
    this.#connection = database.connect();
    const onError = (error: unknown) => this.errors.push(error);
    const onStored = (sessionId: string, seq: number) => this.stored.push(`${sessionId} ${seq}`);
    this.log = spooledLog(this.#connection, spool, { clock: this.clock, onError, onStored });
  }

  static async start(database: MemoryLog, path: string, maxBytes = ROOMY): Promise<SpoolingNode> {
    return new SpoolingNode(path, await Spool.open(path, { maxBytes }), database);
  }

  /** Nothing it does counts from now on; the next process finds the files as they are this moment. */
  kill(): (maxBytes?: number) => Promise<SpoolingNode> {
    this.#isKilled = true;
    this.#connection.cut();
    const path = `${this.#path}+`;
    mkdirSync(path);
    for (const file of readdirSync(this.#path).filter((name) => name.endsWith('.jsonl')))
      try {
        copyFileSync(join(this.#path, file), join(path, file));
      } catch (error) {
        // What it was about to delete may have gone meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    return (maxBytes = ROOMY) => SpoolingNode.start(this.#database, path, maxBytes);
  }

  /** Lets time pass until nothing waits, or it is killed or closed. */
  async drained(): Promise<void> {
    let isDone = false;
    const waiting = this.log.whenDrained().finally(() => {
      isDone = true;
    });
    while (!isDone && !this.#isKilled && !this.#isClosed) await this.clock.advance(500);
    if (!this.#isKilled) await waiting;
  }

  /** The codes of what it was told of; what is no failure, as it is. */
  get codes(): unknown[] {
    return this.errors.map((error) => (error instanceof Failure ? error.code : error));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await (this.#isKilled ? this.spool : this.log).close();
  }
}
