/**
 * A pool of workers behind one queue, earliest deadline first. Each worker does one job at a time. A job whose
 * worker died is done once more; whatever happens, every job ends: with its result, a failure, or its abort.
 *
 * Jobs on one topic prefer the worker that did the last one, which still knows of it: that worker does them first,
 * and others only when they have nothing of their own to do, or the deadline has come. While a job on the topic is being
 * done, the next one waits for it: elsewhere it would take longer than the rest of that one.
 */
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { DeadlineQueue } from '../flow/deadline-queue.ts';
import { ThreadDied } from '../flow/thread.ts';

/** One worker. */
export interface Runner<Job, Result> {
  /** @throws ThreadDied where the worker ended before it answered; it must be usable again afterwards. */
  run(job: Job, signal: AbortSignal | undefined): Promise<Result>;
  /** Ends the worker at once; what it was doing rejects with ThreadDied. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly clock: Clock;
  /** How many jobs may wait before those that can be refused are. */
  readonly maxWaiting: number;
  /** A worker busy with one job for longer is taken for stuck and restarted. */
  readonly maxJobMs: number;
}

export interface JobOptions {
  /** How long the job may wait at best; sets its place in the queue. */
  readonly allowanceMs: number;
  /** Whether the job is turned away where the queue is full. What may not be lost must be let in. */
  readonly refusable: boolean;
  /** What the job is about; null where no worker can know more of it than another. */
  readonly topic?: string | null;
  readonly signal?: AbortSignal | undefined;
}

const MAX_ATTEMPTS = 2;
const RETRY_AFTER_MS = 1_000;

/** Topics whose worker is remembered; more than are ever talked of at once. */
const MAX_TOPICS = 1_000;

interface Ticket<Job, Result> {
  readonly job: Job;
  readonly topic: string | null;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  attempts: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export class WorkPool<Job, Result> {
  readonly #runners: readonly Runner<Job, Result>[];
  readonly #options: PoolOptions;
  readonly #waiting = new DeadlineQueue<Ticket<Job, Result>>();
  /** Those without work; the last is asked first. */
  readonly #idle: Runner<Job, Result>[];
  /** Who did the last job on a topic; the topic touched longest ago comes first. */
  readonly #homes = new Map<string, Runner<Job, Result>>();
  readonly #topicsAtWork = new Set<string>();
  #closed = false;

  constructor(runners: readonly Runner<Job, Result>[], options: PoolOptions) {
    this.#runners = runners;
    this.#options = options;
    this.#idle = [...runners];
  }

  get workers(): number {
    return this.#runners.length;
  }

  get running(): number {
    return this.#runners.length - this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Does a job.
   * @throws Failure `overloaded` where the queue is full, `recognition_failed` where the worker failed or died
   * twice, `shutting_down` once closed; the signal's reason when aborted.
   */
  async submit(job: Job, { allowanceMs, refusable, topic = null, signal }: JobOptions): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#closed) throw shuttingDown();
    if (refusable && this.#waiting.size >= this.#options.maxWaiting)
      throw new Failure('overloaded', 'The recogniser is busy. Try again in a moment.', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    const { promise, resolve, reject } = withResolvers<Result>();
    const deadlineMs = this.#options.clock.monotonicMs() + allowanceMs;
    const ticket: Ticket<Job, Result> = { job, topic, deadlineMs, signal, attempts: 0, resolve, reject };
    // The caller is told at once; a worker already at it stops when it next looks.
    const onAbort = () => {
      this.#waiting.remove(ticket);
      reject(signal!.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(ticket, deadlineMs);
    this.#dispatch();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends all workers; jobs that wait or run fail with `shutting_down`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (let ticket = this.#waiting.pop(); ticket; ticket = this.#waiting.pop())
      ticket.reject(shuttingDown());
    await Promise.all(this.#runners.map((runner) => runner.close()));
  }

  #dispatch(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      const { runner, ticket } = next;
      this.#idle.splice(this.#idle.indexOf(runner), 1);
      void this.#run(runner, ticket);
    }
  }

  /** Who does what next; null where there is nobody or nothing. */
  #next(): { runner: Runner<Job, Result>; ticket: Ticket<Job, Result> } | null {
    const idle = this.#idle.at(-1);
    const first = this.#waiting.peekWhere((ticket) => this.#mayBegin(ticket));
    if (!idle || !first) return null;
    const home = this.#homeOf(first.item);
    if (home && this.#idle.includes(home)) return { runner: home, ticket: this.#take(first.item) };
    const isDue = first.deadlineMs <= this.#options.clock.monotonicMs();
    if (home && !isDue)
      for (const runner of this.#idle) {
        const known = this.#waiting.peekWhere(
          (ticket) => this.#mayBegin(ticket) && this.#homeOf(ticket) === runner,
        );
        if (known) return { runner, ticket: this.#take(known.item) };
      }
    return { runner: idle, ticket: this.#take(first.item) };
  }

  #take(ticket: Ticket<Job, Result>): Ticket<Job, Result> {
    this.#waiting.remove(ticket);
    return ticket;
  }

  #mayBegin({ topic }: Ticket<Job, Result>): boolean {
    return topic === null || !this.#topicsAtWork.has(topic);
  }

  #homeOf({ topic }: Ticket<Job, Result>): Runner<Job, Result> | undefined {
    return topic === null ? undefined : this.#homes.get(topic);
  }

  #settle({ topic }: Ticket<Job, Result>, runner: Runner<Job, Result>): void {
    if (topic === null) return;
    this.#topicsAtWork.add(topic);
    this.#homes.delete(topic);
    this.#homes.set(topic, runner);
    if (this.#homes.size > MAX_TOPICS) this.#homes.delete(this.#homes.keys().next().value!);
  }

  async #run(runner: Runner<Job, Result>, ticket: Ticket<Job, Result>): Promise<void> {
    ticket.attempts++;
    this.#settle(ticket, runner);
    const stopWatching = this.#options.clock.after(this.#options.maxJobMs, () => void runner.restart());
    let died = false;
    try {
      ticket.resolve(await runner.run(ticket.job, ticket.signal));
    } catch (error) {
      died = error instanceof ThreadDied;
      this.#failed(ticket, error);
    } finally {
      stopWatching();
      if (ticket.topic !== null) this.#topicsAtWork.delete(ticket.topic);
      // One that died has to load its model first, so the others are asked before it.
      if (died) this.#idle.unshift(runner);
      else this.#idle.push(runner);
      this.#dispatch();
    }
  }

  #failed(ticket: Ticket<Job, Result>, error: unknown): void {
    if (this.#closed) ticket.reject(shuttingDown());
    else if (error instanceof Failure) ticket.reject(error);
    else if (error instanceof ThreadDied && ticket.attempts < MAX_ATTEMPTS && !ticket.signal?.aborted)
      this.#waiting.push(ticket, ticket.deadlineMs);
    else
      ticket.reject(
        new Failure('recognition_failed', 'The recogniser could not finish this piece of audio.', {
          cause: error,
        }),
      );
  }
}

const shuttingDown = (): Failure =>
  new Failure('shutting_down', 'The gateway is shutting down. Connect again in a moment.');

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}
