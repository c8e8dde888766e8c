import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { ThreadDied } from '../../src/flow/thread.ts';
import { type JobOptions, type Runner, WorkPool } from '../../src/whisper/pool.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A worker whose jobs end when the test says so. */
class HandRunner implements Runner<string, string> {
  readonly started: string[] = [];
  closed = false;
  #running: { resolve(result: string): void; reject(error: unknown): void } | null = null;

  run(job: string): Promise<string> {
    expect(this.#running, 'one job at a time').toBeNull();
    this.started.push(job);
    return new Promise((resolve, reject) => {
      this.#running = { resolve, reject };
    });
  }
  async finish(): Promise<void> {
    this.#take().resolve(`${this.started.at(-1)} done`);
    await settled();
  }
  async fail(error: unknown): Promise<void> {
    this.#take().reject(error);
    await settled();
  }
  async restart(): Promise<void> {
    await this.fail(new ThreadDied('test'));
  }
  async close(): Promise<void> {
    this.closed = true;
    if (this.#running) await this.restart();
  }
  #take() {
    const running = this.#running!;
    this.#running = null;
    return running;
  }
}

/** Lets every promise that can settle do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const FINAL: JobOptions = { allowanceMs: 0, refusable: false };
const PARTIAL: JobOptions = { allowanceMs: 2_000, refusable: true };
const RECORDING: JobOptions = { allowanceMs: 30_000, refusable: true };

function open({ workers = 1, maxWaiting = 3 } = {}) {
  const clock = new FakeClock();
  const runners = Array.from({ length: workers }, () => new HandRunner());
  const pool = new WorkPool(runners, { clock, maxWaiting, maxJobMs: 60_000 });
  return { clock, runners, runner: runners[0]!, pool };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error) => (error instanceof Failure ? error.code : error),
  );

describe('the order of work', () => {
  it('is finals, then partials, then recordings; within a kind, first come, first served', async () => {
    const { pool, runner } = open({ maxWaiting: 10 });
    const all = [
      pool.submit('running', RECORDING),
      pool.submit('recording 1', RECORDING),
      pool.submit('partial 1', PARTIAL),
      pool.submit('partial 2', PARTIAL),
      pool.submit('final 1', FINAL),
      pool.submit('final 2', FINAL),
    ];
    for (const _ of all) await runner.finish();
    expect(runner.started).toEqual([
      'running',
      'final 1',
      'final 2',
      'partial 1',
      'partial 2',
      'recording 1',
    ]);
    expect(await Promise.all(all)).toContain('partial 2 done');
  });

  it('lets nothing starve: what has waited out its allowance goes before a newer final', async () => {
    const { pool, runner, clock } = open();
    const all = [pool.submit('running', FINAL), pool.submit('recording', RECORDING)];
    await clock.advance(30_001);
    all.push(pool.submit('final', FINAL));
    for (const _ of all) await runner.finish();
    expect(runner.started).toEqual(['running', 'recording', 'final']);
    await Promise.all(all);
  });

  it('gives each worker one job at a time and every worker one', async () => {
    const { pool, runners } = open({ workers: 2 });
    const all = ['a', 'b', 'c'].map((job) => pool.submit(job, PARTIAL));
    expect({ running: pool.running, waiting: pool.waiting, workers: pool.workers }).toEqual({
      running: 2,
      waiting: 1,
      workers: 2,
    });
    await runners[0]!.finish();
    await runners[0]!.finish();
    await runners[1]!.finish();
    expect((await Promise.all(all)).sort()).toEqual(['a done', 'b done', 'c done']);
    expect(pool.running).toBe(0);
  });
});

describe('a job on a topic', () => {
  const openTwo = () => {
    const { pool, runners, clock } = open({ workers: 2, maxWaiting: 10 });
    const [b, a] = runners as [HandRunner, HandRunner];
    const about = (topic: string, job: string) => pool.submit(job, { ...PARTIAL, topic });
    return { pool, clock, a, b, about };
  };

  it('is given to the worker that knows its topic, and to another rather than to none', async () => {
    const { a, b, about } = openTwo();
    const all = [about('x', 'x1'), about('y', 'y1')];
    await a.finish();
    await b.finish();
    all.push(about('y', 'y2'));
    expect(b.started).toEqual(['y1', 'y2']);
    await b.finish();
    all.push(about('x', 'x2'), about('y', 'y3'));
    await a.finish();
    // One that nobody knows goes to whoever is idle; what the busy one knows, to the other.
    all.push(about('z', 'z1'), about('x', 'x3'));
    expect(a.started).toEqual(['x1', 'x2', 'z1']);
    await b.finish();
    expect(b.started.at(-1)).toBe('x3');
    await a.finish();
    await b.finish();
    // What was done elsewhere is known elsewhere.
    all.push(about('x', 'x4'));
    expect(b.started.at(-1)).toBe('x4');
    await b.finish();
    await Promise.all(all);
  });

  it('goes behind those that an idle worker knows, until it is due', async () => {
    const { a, b, about, clock } = openTwo();
    const all = [about('x', 'x1'), about('y', 'y1')];
    await a.finish();
    all.push(about('z', 'z1'), about('x', 'x2'));
    await clock.advance(1_000);
    all.push(about('y', 'y2'));
    await b.finish();
    expect(b.started).toEqual(['y1', 'y2']);
    all.push(about('y', 'y3'));
    await clock.advance(1_500);
    await b.finish();
    expect(b.started).toEqual(['y1', 'y2', 'x2']);
    for (const runner of [b, a, b]) await runner.finish();
    await Promise.all(all);
  });

  it('waits while another on its topic is being done, due or not', async () => {
    const { pool, a, b, about } = openTwo();
    const all = [about('x', 'x1'), pool.submit('final x', { ...FINAL, topic: 'x' }), about('x', 'x2')];
    expect([a.started, b.started]).toEqual([['x1'], []]);
    all.push(about('y', 'y1'));
    expect(b.started).toEqual(['y1']);
    await a.finish();
    expect(a.started).toEqual(['x1', 'final x']);
    await b.finish();
    expect(b.started).toEqual(['y1']);
    await a.finish();
    await a.finish();
    await Promise.all(all);
  });
});

describe('a full queue', () => {
  it('refuses what may be refused and lets finals in', async () => {
    const { pool, runner } = open({ maxWaiting: 1 });
    const all = [pool.submit('running', PARTIAL), pool.submit('waiting', PARTIAL)];
    expect(await codeOf(pool.submit('partial', PARTIAL))).toBe('overloaded');
    expect(await codeOf(pool.submit('recording', RECORDING))).toBe('overloaded');
    all.push(pool.submit('final', FINAL));
    for (const _ of all) await runner.finish();
    expect(await Promise.all(all)).toEqual(['running done', 'waiting done', 'final done']);
  });

  it('takes work again once there is room', async () => {
    const { pool, runner } = open({ maxWaiting: 1 });
    const all = [pool.submit('a', PARTIAL), pool.submit('b', PARTIAL)];
    await runner.finish();
    all.push(pool.submit('c', PARTIAL));
    await runner.finish();
    await runner.finish();
    expect(await Promise.all(all)).toHaveLength(3);
  });
});

describe('an aborted job', () => {
  it('leaves the queue and never runs', async () => {
    const { pool, runner } = open();
    const abort = new AbortController();
    const running = pool.submit('running', PARTIAL);
    const waiting = pool.submit('waiting', { ...PARTIAL, signal: abort.signal });
    const reason = new Error('stale');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(pool.waiting).toBe(0);
    await runner.finish();
    await running;
    expect(runner.started).toEqual(['running']);
  });

  it('is over for the caller at once, for the worker when it has stopped', async () => {
    const { pool, runner } = open();
    const abort = new AbortController();
    const job = pool.submit('job', { ...PARTIAL, signal: abort.signal });
    abort.abort(new Error('stale'));
    await expect(job).rejects.toThrow('stale');
    expect(pool.running).toBe(1);
    await runner.fail(new Error('This operation was aborted'));
    expect(pool.running).toBe(0);
  });

  it('is not begun where the signal was aborted before', async () => {
    const { pool, runner } = open();
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(pool.submit('job', { ...PARTIAL, signal })).rejects.toThrow('too late');
    expect(runner.started).toEqual([]);
  });

  it('is not done again after its worker died', async () => {
    const { pool, runner } = open();
    const abort = new AbortController();
    const job = pool.submit('job', { ...PARTIAL, signal: abort.signal });
    abort.abort(new Error('stale'));
    await expect(job).rejects.toThrow('stale');
    await runner.restart();
    expect(runner.started).toEqual(['job']);
    expect({ running: pool.running, waiting: pool.waiting }).toEqual({ running: 0, waiting: 0 });
  });
});

describe('a job whose worker', () => {
  it('died is done again, by a worker that lives', async () => {
    const { pool, runners } = open({ workers: 2 });
    const job = pool.submit('job', FINAL);
    const first = runners.find(({ started }) => started.length > 0)!;
    const other = runners.find((runner) => runner !== first)!;
    await first.restart();
    expect(other.started).toEqual(['job']);
    await other.finish();
    expect(await job).toBe('job done');
  });

  it('died twice fails, and the pool works on', async () => {
    const { pool, runner } = open();
    const job = codeOf(pool.submit('job', FINAL));
    await runner.restart();
    await runner.restart();
    expect(await job).toBe('recognition_failed');
    const next = pool.submit('next', FINAL);
    await runner.finish();
    expect(await next).toBe('next done');
  });

  it('throws fails, with the cause for the log alone', async () => {
    const { pool, runner } = open();
    const job = pool.submit('job', FINAL).catch((error) => error);
    const cause = new Error('bad tensor at /somewhere');
    await runner.fail(cause);
    const failure = await job;
    expect(failure).toMatchObject({ code: 'recognition_failed', cause });
    expect(failure.message).not.toContain('tensor');
    expect(runner.started).toEqual(['job']);
  });

  it('throws a Failure fails with it', async () => {
    const { pool, runner } = open();
    const job = codeOf(pool.submit('job', FINAL));
    await runner.fail(new Failure('audio_undecodable', 'no'));
    expect(await job).toBe('audio_undecodable');
  });

  it('is stuck gets a fresh worker, once', async () => {
    const { pool, runner, clock } = open();
    const job = codeOf(pool.submit('job', FINAL));
    await clock.advance(60_000);
    expect(runner.started).toEqual(['job', 'job']);
    await clock.advance(60_000);
    expect(await job).toBe('recognition_failed');
    expect(clock.waiting).toBe(0);
  });
});

describe('a closed pool', () => {
  it('ends its workers and fails what runs, waits or comes', async () => {
    const { pool, runner } = open();
    const running = codeOf(pool.submit('running', FINAL));
    const waiting = codeOf(pool.submit('waiting', FINAL));
    await pool.close();
    expect(await Promise.all([running, waiting, codeOf(pool.submit('late', FINAL))])).toEqual([
      'shutting_down',
      'shutting_down',
      'shutting_down',
    ]);
    expect(runner).toMatchObject({ closed: true, started: ['running'] });
  });
});
