/**
 * Recordings waiting to be transcribed: a queue in the database (pg-boss), the uploads in a folder beside it.
 * A recording whose process died is found by its claim having run out, and queued again.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import PgBoss from 'pg-boss';
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import type { Store } from '../store/store.ts';
import { eraseOrphans } from './orphans.ts';

const QUEUE = 'transcribe';

/** How often a node looks for work it was not told of. */
const POLL_SECONDS = 1;

/** pg-boss holds a job of a process that died for this long; claims, which are renewed, run out far sooner. */
const EXPIRE_HOURS = 23;

/** How often uploads that belong to nothing are looked for. */
const ERASE_ORPHANS_EVERY_MS = 10 * 60_000;

/** Connections of pg-boss; the embedded database has twenty in all. */
const CONNECTIONS = 2;

interface Job {
  readonly sessionId: string;
}

export interface RecordingsParts {
  readonly store: Store;
  /** Where uploads are kept until they are transcribed. */
  readonly folder: string;
  readonly maxQueued: number;
  /** Recordings worked on at a time on this node. */
  readonly atOnce: number;
  /** Does the work; resolves false where another node is at it. */
  readonly transcribe: (record: SessionRecord, path: string, signal: AbortSignal) => Promise<boolean>;
  /** Ends a recording that cannot be worked on. */
  readonly giveUp: (record: SessionRecord, reason: Failure) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export class Recordings {
  readonly #parts: RecordingsParts;
  readonly #boss: PgBoss;
  readonly #running = new Map<string, AbortController>();
  #workers: string[] = [];
  #erasedOrphansMs = 0;

  private constructor(parts: RecordingsParts, boss: PgBoss) {
    this.#parts = parts;
    this.#boss = boss;
  }

  /** Opens the queue and begins to work it off. */
  static async open(parts: RecordingsParts): Promise<Recordings> {
    await mkdir(parts.folder, { recursive: true, mode: 0o700 });
    const boss = new PgBoss({ connectionString: parts.store.connectionString, max: CONNECTIONS });
    boss.on('error', parts.onError);
    await boss.start();
    // Of jobs with one key at most one waits, so a sweep cannot pile up work that is queued already.
    await boss.createQueue(QUEUE, { name: QUEUE, policy: 'short' });
    const recordings = new Recordings(parts, boss);
    await recordings.#startWorkers();
    return recordings;
  }

  /** Where the upload of a session is kept. The name is the gateway's own. */
  pathOf(sessionId: string): string {
    return join(this.#parts.folder, sessionId);
  }

  /** @throws Failure `overloaded` where enough recordings wait already. */
  async admit(): Promise<void> {
    const waiting = await this.#boss.getQueueSize(QUEUE);
    if (waiting < this.#parts.maxQueued) return;
    throw new Failure('overloaded', `${waiting} recordings wait already; try again later.`, {
      retryAfterMs: 30_000,
    });
  }

  /** Queues a recording whose upload is complete. */
  async enqueue(sessionId: string): Promise<void> {
    const options = { singletonKey: sessionId, retryLimit: 0, expireInHours: EXPIRE_HOURS };
    await this.#boss.send(QUEUE, { sessionId } satisfies Job, options);
    for (const worker of this.#workers) this.#boss.notifyWorker(worker);
  }

  /** Throws an upload away. */
  async discard(sessionId: string): Promise<void> {
    await rm(this.pathOf(sessionId), { force: true });
  }

  /** Stops working on a recording that is being deleted, and throws its upload away. */
  async cancel(sessionId: string): Promise<void> {
    this.#running.get(sessionId)?.abort(new Failure('session_ended', 'This session was deleted.'));
    await this.discard(sessionId);
  }

  /**
   * Queues recordings again whose process died over them, and now and then erases uploads nobody needs.
   * @param nowMs Claims that ran out before count.
   */
  async sweep(nowMs: number): Promise<void> {
    for (const record of await this.#parts.store.sessions.abandoned('recording', nowMs))
      if (!this.#running.has(record.id)) await this.enqueue(record.id);
    if (nowMs - this.#erasedOrphansMs < ERASE_ORPHANS_EVERY_MS) return;
    this.#erasedOrphansMs = nowMs;
    await eraseOrphans(this.#parts.folder, this.#parts.store.sessions, nowMs);
  }

  /** Breaks off; what was being worked on is taken up again by the next process. */
  async close(): Promise<void> {
    for (const running of this.#running.values())
      running.abort(new Failure('shutting_down', 'This node is restarting.'));
    await this.#boss.stop({ graceful: true, timeout: 5000, wait: true });
  }

  async #startWorkers(): Promise<void> {
    const options = { batchSize: 1, pollingIntervalSeconds: POLL_SECONDS };
    for (let count = 0; count < this.#parts.atOnce; count++)
      this.#workers.push(
        await this.#boss.work<Job>(QUEUE, options, async ([job]) => {
          if (job) await this.#work(job.data.sessionId).catch(this.#parts.onError);
        }),
      );
  }

  async #work(sessionId: string): Promise<void> {
    const record = await this.#parts.store.sessions.find(sessionId, null);
    if (!record || this.#running.has(sessionId)) return;
    const path = this.pathOf(sessionId);
    if (!existsSync(path)) {
      const gone = new Failure('internal', 'The recording is no longer on this node; please send it again.');
      return await this.#parts.giveUp(record, gone);
    }
    const abort = new AbortController();
    this.#running.set(sessionId, abort);
    try {
      if (await this.#parts.transcribe(record, path, abort.signal)) await this.discard(sessionId);
    } finally {
      this.#running.delete(sessionId);
    }
  }
}
