/** What the spooled log is for, whatever the database and the process do: a model test. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DurableDraft, DurableEvent } from '../../src/domain/event.ts';
import { Failure } from '../../src/domain/failure.ts';
import { freshFolder } from '../support/databases.ts';
import { MemoryLog, type Weather } from '../support/memory-log.ts';
import { ROOMY, SpoolingNode } from '../support/spooling-node.ts';
import { final, plain } from './suites/fixture.ts';

let folder: Awaited<ReturnType<typeof freshFolder>>;
beforeEach(async () => {
  folder = await freshFolder();
});
afterEach(() => folder.remove());

/** One who writes for a session, as a journal does: one append at a time, each again until it is answered. */
class Writer {
  readonly acknowledged: DurableEvent[] = [];
  readonly sessionId: string;
  #fence = 1;
  #lastSeq = 0;
  #pending: readonly DurableDraft[] | null = null;
  #isWriting = false;
  /** Whether its predecessor was lost: it has to look where the log stands. */
  #isNew = false;
  #isOver = false;
  #made = 0;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  /** Its process is gone; what was not acknowledged is nobody's any more. */
  lose(): Writer {
    const next = new Writer(this.sessionId);
    next.acknowledged.push(...this.acknowledged);
    next.#isNew = true;
    next.#made = this.#made;
    this.#isOver = true;
    return next;
  }

  async append(node: SpoolingNode, database: MemoryLog, count: number): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    if (this.#isNew) {
      if (database.weather !== 'up') {
        this.#isWriting = false;
        return;
      }
      await node.drained();
      if (this.#isOver) return;
      this.#fence = database.claim(this.sessionId);
      this.#lastSeq = database.eventsOf(this.sessionId).length;
      this.#isNew = false;
    }
    this.#pending ??= Array.from({ length: count }, () =>
      final(this.#made++, 'x'.repeat((this.#made * 37) % 200)),
    );
    try {
      const turn = { fence: this.#fence, afterSeq: this.#lastSeq };
      const events = await node.log.append(this.sessionId, this.#pending, turn);
      if (this.#isOver) return;
      this.acknowledged.push(...events);
      this.#lastSeq = events.at(-1)!.seq;
      this.#pending = null;
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'storage_unavailable')) throw error;
    } finally {
      this.#isWriting = false;
    }
  }
}

type Action =
  | { readonly kind: 'append'; readonly writer: number; readonly count: number; readonly isAwaited: boolean }
  | { readonly kind: 'weather'; readonly weather: Weather }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'turn' }
  | { readonly kind: 'kill' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      writer: fc.nat(2),
      count: fc.integer({ min: 1, max: 3 }),
      isAwaited: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('weather' as const),
      weather: fc.constantFrom<Weather>('up', 'down', 'mute', 'full'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3000 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'turn' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
);

async function carryOut(actions: readonly Action[], path: string, maxBytes: number): Promise<void> {
  const database = new MemoryLog();
  let writers = ['a', 'b', 'c'].map((sessionId) => new Writer(sessionId));
  for (const { sessionId } of writers) database.create(sessionId);
  let node = await SpoolingNode.start(database, path, maxBytes);
  const started = [node];
  let writing: Promise<void>[] = [];
  try {
    for (const step of actions)
      switch (step.kind) {
        case 'append': {
          const append = writers[step.writer]!.append(node, database, step.count);
          writing.push(append);
          append.catch(() => {});
          if (step.isAwaited) await append;
          break;
        }
        case 'weather':
          database.weather = step.weather;
          break;
        case 'pass':
          await node.clock.advance(step.ms);
          break;
        case 'turn':
          await sleep(1);
          break;
        case 'kill': {
          writing = [];
          const restart = node.kill();
          writers = writers.map((writer) => writer.lose());
          node = await restart(maxBytes);
          started.push(node);
        }
      }
    database.weather = 'up';
    await Promise.all(writing);
    await node.drained();
    for (const { sessionId, acknowledged } of writers) {
      const stored = database.eventsOf(sessionId);
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
      const made = stored.map((event) => event.type === 'transcript.final' && event.startMs);
      expect(new Set(made).size).toBe(stored.length);
      expect(acknowledged.map(({ seq }) => plain(stored[seq - 1]!))).toEqual(acknowledged.map(plain));
    }
    expect(started.flatMap(({ codes }) => codes).filter((code) => code !== 'storage_full')).toEqual([]);
    expect(started.map(({ spool }) => spool.damaged)).toEqual(started.map(() => 0));
  } finally {
    for (const one of started) await one.close();
  }
}

it('has every acknowledged event in the database in the end, once and in order', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 60, size: 'max' }),
      fc.constantFrom(1_500, 6_000, ROOMY),
      (actions, maxBytes) => carryOut(actions, join(folder.path, `run-${run++}`), maxBytes),
    ),
    { numRuns: 400 },
  );
});
