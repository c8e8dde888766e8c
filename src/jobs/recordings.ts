/**
 * Recordings waiting to be transcribed: a queue in the database (pg-boss), shared by all nodes.
 * A recording whose process died is found by its claim having run out, and queued again.
 */
import PgBoss from 'pg-boss';
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import { Gate } from '../flow/gate.ts';
import type { Store } from '../store/store.ts';
import type { Uploads } from './uploads.ts';

const QUEUE = 'transcribe';

/** How often a node looks for work it was not told of. */
const POLL_SECONDS = 1;

/** pg-boss holds a job of a process that died for this long; claims, which are renewed, run out far sooner. */
const EXPIRE_HOURS = 23;

/** How often uploads that belong to nothing are looked for. */
const ERASE_ORPHANS_EVERY_MS = 10 * 60_000;

/**
 * What was begun has waited in the queue once already. Suspects wait with what is new: each holds up everybody while it is
 * worked on, and what has died once is to go on before that.
 */
const BEGUN_PRIORITY = 1;

/** Of PostgreSQL (errcodes appendix). */
const DEADLOCK_DETECTED = '40P01';
const CREATE_TRIES = 5;

/** Connections of pg-boss; the embedded database has twenty in all. */
const CONNECTIONS = 2;

/**
 * A recording over which so many processes died is worked on alone: whatever else the process was doing dies with it, and
 * is not to be taken for the reason again and again.
 */
const SUSPECT_AFTER = 2;

/** What the work that is broken off may take to end. */
const STOP_MS = 5000;

interface Job {
  readonly sessionId: string;
  readonly isSuspect: boolean;
}

export interface RecordingsParts {
  readonly store: Store;
  readonly uploads: Uploads;
  readonly maxQueued: number;
  /** Recordings worked on at a time on this node; 0 where that is left to other nodes. */
  readonly atOnce: number;
  /** Does the work; resolves false where another node is at it, or it was broken off. */
  readonly transcribe: (record: SessionRecord, signal: AbortSignal) => Promise<boolean>;
  readonly onError: (error: unknown) => void;
}

export class Recordings {
  readonly #parts: RecordingsParts;
  readonly #boss: PgBoss;
  readonly #running = new Map<string, AbortController>();
  readonly #gate = new Gate();
  #workers: string[] = [];
  #erasedOrphansMs = 0;

  private constructor(parts: RecordingsParts, boss: PgBoss) {
    this.#parts = parts;
    this.#boss = boss;
  }

  /** Opens the queue. */
  static async open(parts: RecordingsParts): Promise<Recordings> {
    const { connectionString } = parts.store;
    const boss = new PgBoss({ connectionString, max: CONNECTIONS, schedule: false });
    boss.on('error', parts.onError);
    await boss.start();
    await createQueue(boss);
    return new Recordings(parts, boss);
  }

  /**
   * Begins to work the queue off; alone on an embedded database, first of all with what the process before died over.
   * @param nowMs See {@link sweep}.
   */
  async begin(nowMs: number): Promise<void> {
    if (this.#parts.store.kind === 'embedded') await this.#queueAgain(nowMs);
    await this.#startWorkers();
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
    await this.#send({ sessionId, isSuspect: false }, 0);
  }

  /** Stops working on a recording that is being deleted, and throws its upload away. */
  async cancel(sessionId: string): Promise<void> {
    this.#running.get(sessionId)?.abort(new Failure('session_ended', 'This session was deleted.'));
    await this.#parts.uploads.discard(sessionId);
  }

  /**
   * Queues recordings again whose process died over them, and now and then erases uploads nobody needs.
   * @param nowMs Claims that ran out before count.
   */
  async sweep(nowMs: number): Promise<void> {
    await this.#queueAgain(nowMs);
    if (nowMs - this.#erasedOrphansMs < ERASE_ORPHANS_EVERY_MS) return;
    this.#erasedOrphansMs = nowMs;
    await this.#parts.uploads.eraseOrphans(nowMs);
  }

  /** Breaks off; what was being worked on is taken up again by the next process. */
  async close(): Promise<void> {
    for (const running of this.#running.values())
      running.abort(new Failure('shutting_down', 'This node is restarting.'));
    const stopped = this.#boss.stop({ graceful: true, timeout: STOP_MS, wait: true });
    // pg-boss waits for answers without end, also for those of a database that is away.
    let deadline: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, 2 * STOP_MS);
    });
    await Promise.race([stopped, tooLong]);
    clearTimeout(deadline);
  }

  async #queueAgain(nowMs: number): Promise<void> {
    for (const { id, state, crashes } of await this.#parts.store.sessions.abandoned('recording', nowMs))
      if (!this.#running.has(id)) {
        const isSuspect = crashes >= SUSPECT_AFTER;
        await this.#send(
          { sessionId: id, isSuspect },
          state === 'IN_PROGRESS' && !isSuspect ? BEGUN_PRIORITY : 0,
        );
      }
  }

  async #send(job: Job, priority: number): Promise<void> {
    const options = { singletonKey: job.sessionId, priority, retryLimit: 0, expireInHours: EXPIRE_HOURS };
    await this.#boss.send(QUEUE, job, options);
    for (const worker of this.#workers) this.#boss.notifyWorker(worker);
  }

  async #startWorkers(): Promise<void> {
    const options = { batchSize: 1, pollingIntervalSeconds: POLL_SECONDS };
    for (let count = 0; count < this.#parts.atOnce; count++)
      this.#workers.push(
        await this.#boss.work<Job>(QUEUE, options, async ([job]) => {
          if (job) await this.#work(job.data).catch(this.#parts.onError);
        }),
      );
  }

  async #work({ sessionId, isSuspect }: Job): Promise<void> {
    if (this.#running.has(sessionId)) return;
    const abort = new AbortController();
    this.#running.set(sessionId, abort);
    const leave = await this.#gate.enter(isSuspect);
    try {
      const record = await this.#parts.store.sessions.find(sessionId, null);
      if (!record || abort.signal.aborted) return;
      const isDone = await this.#parts.transcribe(record, abort.signal);
      // Deleted on another node, perhaps: then nobody needs the audio either.
      if (isDone || !(await this.#parts.store.sessions.find(sessionId, null)))
        await this.#parts.uploads.discard(sessionId);
    } finally {
      leave();
      this.#running.delete(sessionId);
    }
  }
}

/**
 * Makes the queue where it is not there. Nodes that do so at once lock each other out, as pg-boss takes its locks in
 * no order: PostgreSQL then breaks all off but one, and the others find the queue made.
 */
async function createQueue(boss: PgBoss): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      // Of jobs with one key at most one waits, so a sweep cannot pile up work that is queued already.
      return await boss.createQueue(QUEUE, { name: QUEUE, policy: 'short' });
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== DEADLOCK_DETECTED || tries === CREATE_TRIES) throw error;
    }
}
