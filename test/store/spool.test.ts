import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, type FileHandle, mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DurableEvent } from '../../src/domain/event.ts';
import { threadEntry } from '../../src/flow/thread.ts';
import { Spool } from '../../src/store/spool.ts';
import { lineOf, type SpoolEntry } from '../../src/store/spool-line.ts';
import { freshFolder } from '../support/databases.ts';

/** Of util-linux: bounds what another process may do. */
const PRLIMIT = 'prlimit';

const ROOMY = { maxBytes: 10_000_000 };

let folder: Awaited<ReturnType<typeof freshFolder>>;
let opened: Spool[];
beforeEach(async () => {
  folder = await freshFolder();
  opened = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const spool of opened) await spool.close();
  await folder.remove();
});

async function openSpool(path = join(folder.path, 'spool'), options = ROOMY): Promise<Spool> {
  const spool = await Spool.open(path, options);
  opened.push(spool);
  return spool;
}

const eventOf = (sessionId: string, seq: number, delta: string): DurableEvent => ({
  type: 'llm.token',
  sessionId,
  seq,
  at: '2025-01-01T00:00:00.000Z',
  responseId: 'rsp_1',
  utteranceId: null,
  index: seq,
  delta,
});

/** Of one event, unless more are asked for. */
const entry = (
  sessionId: string,
  seq: number,
  { fence = 1, count = 1, delta = 'ü\n"\\' } = {},
): SpoolEntry => ({
  sessionId,
  fence,
  events: Array.from({ length: count }, (_, i) => eventOf(sessionId, seq + i, delta)),
});

async function drain(spool: Spool): Promise<SpoolEntry[]> {
  const heads: SpoolEntry[] = [];
  for (let head = await spool.head(); head; head = await spool.head()) {
    heads.push(head);
    await spool.removeHead();
  }
  return heads;
}

const seqsOf = (heads: readonly SpoolEntry[], sessionId: string): number[] =>
  heads.flatMap((head) => (head.sessionId === sessionId ? head.events.map(({ seq }) => seq) : []));

const segmentsOf = async (path: string): Promise<string[]> =>
  (await readdir(path)).filter((name) => name.endsWith('.jsonl')).map((name) => join(path, name));

async function diskUse(path: string): Promise<number> {
  const sizes = await Promise.all((await segmentsOf(path)).map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A promise, and what resolves it. */
function gate(): { closed: Promise<void>; open(): void } {
  let open = () => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

/** A folder as a process that was killed this moment would leave it. */
async function copyOf(path: string, name: string): Promise<string> {
  const copy = join(folder.path, name);
  await mkdir(copy);
  for (const file of await readdir(path))
    if (file.endsWith('.jsonl')) await copyFile(join(path, file), join(copy, file));
  return copy;
}

describe('a spool', () => {
  it('gives back what was added, in the order of each session', async () => {
    const spool = await openSpool();
    await spool.add(entry('a', 1, { count: 2 }));
    await spool.add(entry('b', 7));
    await spool.add(entry('a', 3));
    expect({ waiting: spool.waiting, sessions: spool.sessions, size: spool.size }).toEqual({
      waiting: 3,
      sessions: 2,
      size: await diskUse(join(folder.path, 'spool')),
    });
    expect(await drain(spool)).toEqual([entry('a', 1, { count: 3 }), entry('b', 7)]);
    expect({ waiting: spool.waiting, sessions: spool.sessions, size: spool.size }).toEqual({
      waiting: 0,
      sessions: 0,
      size: 0,
    });
  });

  it('keeps a head until it is removed', async () => {
    const spool = await openSpool();
    await spool.removeHead();
    expect(await spool.head()).toBeNull();
    await spool.add(entry('a', 1));
    const head = await spool.head();
    await spool.add(entry('a', 2));
    expect(spool.has('a')).toBe(true);
    await spool.removeHead();
    await spool.removeHead();
    expect([head, ...(await drain(spool))]).toEqual([entry('a', 1), entry('a', 2)]);
    expect(spool.has('a')).toBe(false);
  });

  it('knows the last event of a session that waits', async () => {
    const spool = await openSpool();
    await spool.add(entry('a', 1, { count: 2, fence: 4 }));
    expect(spool.tailOf('a')).toEqual({ fence: 4, seq: 2, type: 'llm.token' });
    expect(spool.tailOf('b')).toBeNull();
    await drain(spool);
    expect(spool.tailOf('a')).toBeNull();
  });

  it('joins what follows of a session under one claim, so far as it is not too much', async () => {
    const spool = await openSpool();
    const long = 'x'.repeat(400_000);
    for (const one of [
      entry('a', 1, { count: 150 }),
      entry('a', 151, { count: 50 }),
      entry('a', 201, { count: 300 }),
      entry('a', 501, { fence: 2 }),
      entry('a', 503, { fence: 2 }),
      entry('a', 504, { fence: 2, delta: long }),
      entry('a', 505, { fence: 2, delta: long }),
      entry('a', 506, { fence: 2, delta: long }),
    ])
      await spool.add(one);
    const heads = await drain(spool);
    expect(heads.map(({ fence, events }) => [fence, events[0]!.seq, events.at(-1)!.seq])).toEqual([
      [1, 1, 200],
      [1, 201, 500],
      [2, 501, 501],
      [2, 503, 505],
      [2, 506, 506],
    ]);
  });

  it('lets sessions take turns, and one that is postponed come last', async () => {
    const spool = await openSpool();
    for (const sessionId of ['a', 'b', 'c']) for (const seq of [1, 3]) await spool.add(entry(sessionId, seq));
    await spool.head();
    spool.postpone();
    const heads = await drain(spool);
    expect(heads.map(({ sessionId, events }) => `${sessionId}${events[0]!.seq}`)).toEqual([
      ...['b1', 'c1', 'a1', 'b3', 'c3', 'a3'],
    ]);
  });

  it('is for its owner alone', async () => {
    const path = join(folder.path, 'spool');
    await mkdir(path, { mode: 0o755 });
    const spool = await openSpool();
    await spool.add(entry('a', 1));
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    const modes = await Promise.all(
      (await segmentsOf(path)).map(async (file) => (await stat(file)).mode & 0o777),
    );
    expect(modes).toEqual([0o600]);
    await expect(Spool.open(path, ROOMY)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('takes nothing once it is closed, and finishes what was added before', async () => {
    const spool = await openSpool();
    const adding = Promise.all([spool.add(entry('a', 1)), spool.add(entry('a', 2))]);
    await spool.close();
    await adding;
    await spool.close();
    await expect(spool.add(entry('a', 3))).rejects.toMatchObject({ code: 'shutting_down' });
    const again = await openSpool();
    expect(seqsOf(await drain(again), 'a')).toEqual([1, 2]);
  });

  it('leaves its files alone once it is closed, as another process may have them by then', async () => {
    const spool = await openSpool();
    await spool.add(entry('a', 1));
    await spool.head();
    await spool.close();
    await spool.removeHead();
    expect(seqsOf(await drain(await openSpool()), 'a')).toEqual([1]);
  });

  it('leaves out entries without events', async () => {
    const spool = await openSpool();
    await spool.add(entry('a', 1, { count: 0 }));
    expect(spool.waiting).toBe(0);
  });
});

describe('a spool that is opened anew', () => {
  it('has everything in it that was not drained, and perhaps what was', async () => {
    const spool = await openSpool(undefined, { maxBytes: 20_000 });
    for (let seq = 1; seq <= 60; seq++) await spool.add(entry(seq % 2 ? 'a' : 'b', seq));
    for (let i = 0; i < 35; i++) {
      await spool.head();
      await spool.removeHead();
    }
    const left = seqsOf(await drain(await openSpool(await copyOf(join(folder.path, 'spool'), 'copy'))), 'a');
    const expected = seqsOf(await drain(spool), 'a');
    expect(expected.length).toBeGreaterThan(5);
    expect(left.slice(-expected.length)).toEqual(expected);
    // Whole segments are gone.
    expect(left.length).toBeLessThan(30);
  });

  it('cuts off a line that is torn, at whatever byte', async () => {
    const path = join(folder.path, 'torn');
    await mkdir(path);
    const file = join(path, '0000000001.jsonl');
    const whole = Buffer.concat([entry('a', 1), entry('b', 1)].map(lineOf));
    const torn = lineOf(entry('a', 2));
    for (let length = 0; length < torn.length; length++) {
      await writeFile(file, Buffer.concat([whole, torn.subarray(0, length)]));
      const spool = await openSpool(path);
      expect({ waiting: spool.waiting, damaged: spool.damaged, disk: await diskUse(path) }).toEqual({
        waiting: 2,
        damaged: 0,
        disk: whole.length,
      });
      await spool.add(entry('a', 2));
      await spool.close();
      expect(await readFile(file)).toEqual(Buffer.concat([whole, torn]));
    }
  });

  it('reads on after a damaged line, whichever byte it is, and counts the damage', async () => {
    const path = join(folder.path, 'damaged');
    await mkdir(path);
    const lines = [entry('a', 1), entry('b', 1), entry('a', 2), entry('c', 1)].map(lineOf);
    const start = lines[0]!.length;
    for (let at = start; at < start + lines[1]!.length; at++) {
      const bytes = Buffer.concat(lines);
      bytes[at]! ^= 0x04;
      await writeFile(join(path, '0000000001.jsonl'), bytes);
      const spool = await openSpool(path);
      expect(spool.damaged).toBe(1);
      // Without its end, a line takes the next one with it.
      const isEnd = at === start + lines[1]!.length - 1;
      const heads = await drain(spool);
      expect([seqsOf(heads, 'a'), seqsOf(heads, 'b'), seqsOf(heads, 'c')]).toEqual([
        isEnd ? [1] : [1, 2],
        [],
        [1],
      ]);
      expect(await diskUse(path)).toBe(0);
      await spool.close();
    }
  });

  it('loses no more lines than were overwritten, whatever with', async () => {
    const path = join(folder.path, 'damaged');
    await mkdir(path);
    const lines = Array.from({ length: 12 }, (_, i) => lineOf(entry(`s${i}`, 1)));
    const bytes = Buffer.concat(lines);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        async (from, garbage) => {
          const damaged = Buffer.from(bytes);
          damaged.set(garbage.subarray(0, bytes.length - from), from);
          await writeFile(join(path, '0000000001.jsonl'), damaged);
          const spool = await Spool.open(path, ROOMY);
          const found = new Set((await drain(spool)).map(({ sessionId }) => sessionId));
          await spool.close();
          let offset = 0;
          for (const [i, line] of lines.entries()) {
            const isSame = damaged.subarray(offset, offset + line.length).equals(line);
            const isMerged = offset > 0 && damaged[offset - 1] !== 0x0a;
            expect(found.has(`s${i}`)).toBe(isSame && !isMerged);
            offset += line.length;
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('goes without what is damaged while it waits', async () => {
    const spool = await openSpool();
    for (const seq of [1, 2, 3]) await spool.add(entry('a', seq));
    const file = await open((await segmentsOf(join(folder.path, 'spool')))[0]!, 'r+');
    await file.write('?', lineOf(entry('a', 1)).length + 50);
    await file.close();
    expect(seqsOf(await drain(spool), 'a')).toEqual([1, 3]);
    expect(spool.damaged).toBe(1);
  });

  it('reads segments that do not end as damaged, but for the last', async () => {
    const path = join(folder.path, 'damaged');
    await mkdir(path);
    const line = lineOf(entry('b', 1));
    await writeFile(
      join(path, '0000000001.jsonl'),
      Buffer.concat([lineOf(entry('a', 1)), line.subarray(0, 30)]),
    );
    await writeFile(join(path, '0000000002.jsonl'), '');
    await writeFile(
      join(path, '0000000003.jsonl'),
      Buffer.concat([lineOf(entry('a', 2)), line.subarray(0, 30)]),
    );
    const spool = await openSpool(path);
    expect(spool.damaged).toBe(1);
    expect(seqsOf(await drain(spool), 'a')).toEqual([1, 2]);
  });
});

describe('the bound of a spool', () => {
  it('refuses what is more, and has room again once something is drained', async () => {
    const path = join(folder.path, 'spool');
    const line = lineOf(entry('a', 1, { fence: 10 })).length;
    const options = { maxBytes: 32 * line };
    const spool = await openSpool(path, options);
    const added = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) => spool.add(entry('a', i % 9, { fence: 10 + i }))),
    );
    expect(added.map(({ status }) => status)).toEqual([
      ...Array(32).fill('fulfilled'),
      ...Array(8).fill('rejected'),
    ]);
    await expect(spool.add(entry('a', 1))).rejects.toMatchObject({ code: 'storage_full' });
    expect(await diskUse(path)).toBe(options.maxBytes);
    expect((await drain(spool)).map(({ fence }) => fence)).toEqual(
      Array.from({ length: 32 }, (_, i) => 10 + i),
    );
    expect(await diskUse(path)).toBe(0);
    expect(await segmentsOf(path)).toHaveLength(1);
    await spool.add(entry('a', 1));
  });

  it('holds on disk, however long it is never quite empty', async () => {
    const path = join(folder.path, 'spool');
    const options = { maxBytes: 20_000 };
    const spool = await openSpool(path, options);
    const seqs: number[] = [];
    for (let seq = 1; seq <= 600; seq++) {
      // Each under a claim of its own, so that every head is one entry.
      await spool.add(entry('a', seq, { fence: seq }));
      if (spool.size < options.maxBytes / 2) continue;
      seqs.push((await spool.head())!.events[0]!.seq);
      await spool.removeHead();
      expect(await diskUse(path)).toBeLessThanOrEqual(options.maxBytes);
    }
    seqs.push(...seqsOf(await drain(spool), 'a'));
    expect(seqs).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
  });

  it.runIf(spawnSync(PRLIMIT, ['--version']).status === 0)(
    'leaves nothing torn behind where a file can grow no more, and goes on where it can again',
    async () => {
      const path = join(folder.path, 'spool');
      const child = startProcess('pipe', 'limit', path);
      expect((await text(child.stdout!)).trim().split('\n')).toEqual([
        'added 1',
        'added 2',
        'storage_full EFBIG',
        'added 3',
        'storage_full EFBIG',
        'storage_full EFBIG',
        'added 4',
        'added 5',
        'waiting 5',
      ]);
      const spool = await openSpool(path);
      expect(spool.damaged).toBe(0);
      const [head, ...others] = await drain(spool);
      expect(others).toEqual([]);
      expect(head!.events.map((event) => event.type === 'llm.token' && event.delta.length)).toEqual([
        1_000, 1_000, 500, 100, 10_000,
      ]);
    },
  );
});

describe('writing to a spool', () => {
  it('takes all that wait to the disk at once, in order', async () => {
    const spool = await openSpool();
    const file = await open(join(folder.path, 'any'), 'w');
    const syncs = vi.spyOn(Object.getPrototypeOf(file), 'datasync');
    const order: number[] = [];
    const add = async (seq: number) => {
      await spool.add(entry('a', seq));
      order.push(seq);
    };
    const first = add(1);
    await nextTurn();
    await Promise.all([first, ...Array.from({ length: 499 }, (_, i) => add(i + 2))]);
    // The first by itself, and then those that came while it was written.
    expect(syncs).toHaveBeenCalledTimes(2);
    await file.close();
    expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    expect(
      seqsOf(await drain(await openSpool(await copyOf(join(folder.path, 'spool'), 'copy'))), 'a'),
    ).toEqual(order);
  });

  it('ends no earlier than it is on disk, and one write after the other', async () => {
    const spool = await openSpool();
    const file = await open(join(folder.path, 'any'), 'w');
    const prototype = Object.getPrototypeOf(file) as typeof file;
    const { datasync } = prototype;
    const log: string[] = [];
    vi.spyOn(prototype, 'datasync').mockImplementation(async function (this: typeof file) {
      log.push('sync');
      await sleep(5);
      await datasync.call(this);
      log.push('synced');
    });
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        await sleep(3 * i);
        await spool.add(entry('a', i + 1));
        log.push('added');
      }),
    );
    await file.close();
    expect(log.filter((line) => line === 'added')).toHaveLength(8);
    expect(log.join(' ')).toMatch(/^(sync synced( added)+ ?)+$/);
  });
});

describe('a write that fails', () => {
  /** What real file handles do, by name: to be watched, or made to fail. */
  async function handles(): Promise<FileHandle> {
    const file = await open(join(folder.path, 'any'), 'w');
    await file.close();
    return Object.getPrototypeOf(file) as FileHandle;
  }
  const full = Object.assign(new Error('no room'), { code: 'ENOSPC' });

  it('takes those that wait behind it with it, and nobody else', async () => {
    const spool = await openSpool();
    await spool.add(entry('a', 1));
    const { closed, open: fail } = gate();
    vi.spyOn(await handles(), 'datasync').mockImplementationOnce(async () => {
      await closed;
      throw full;
    });
    const failing = [spool.add(entry('a', 2))];
    await nextTurn();
    failing.push(spool.add(entry('a', 3)));
    fail();
    expect(
      (await Promise.allSettled(failing)).map((result) => 'reason' in result && result.reason.code),
    ).toEqual(['storage_full', 'storage_full']);
    await Promise.all([spool.add(entry('a', 2)), spool.add(entry('a', 3))]);
    expect(seqsOf(await drain(spool), 'a')).toEqual([1, 2, 3]);
  });

  it('is cut off before the next one, where it cannot be at once', async () => {
    const spool = await openSpool();
    await spool.add(entry('a', 1));
    vi.spyOn(await handles(), 'datasync').mockRejectedValueOnce(full);
    vi.spyOn(await handles(), 'truncate').mockRejectedValueOnce(new Error('broken'));
    await expect(spool.add(entry('a', 2, { delta: 'x'.repeat(500) }))).rejects.toMatchObject({
      code: 'storage_full',
    });
    await spool.add(entry('a', 2));
    const copy = await openSpool(await copyOf(join(folder.path, 'spool'), 'copy'));
    expect(copy.damaged).toBe(0);
    expect(await drain(copy)).toEqual([entry('a', 1, { count: 2 })]);
  });
});

/** From its beginning, wherever the process that writes it stands. */
async function readAll(file: FileHandle): Promise<string> {
  const bytes = Buffer.alloc((await file.stat()).size);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytes.toString('utf8', 0, bytesRead);
}

/** The built one: a bare Node cannot read TypeScript. */
const SPOOL = threadEntry(new URL('../../src/store/spool.ts', import.meta.url).href, './spool.js');
const SCRIPT = join(import.meta.dirname, '..', 'support', 'spool-process.mjs');

function startProcess(stdout: 'pipe' | number, ...args: string[]) {
  const child = spawn(process.execPath, [SCRIPT, SPOOL.href, ...args], {
    stdio: ['ignore', stdout, 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

describe('a process that spools', () => {
  it('loses nothing that it acknowledged when it is killed, twenty times over', async () => {
    const path = join(folder.path, 'spool');
    const added = new Set<string>();
    const drained = new Set<string>();
    for (let run = 0; run < 20; run++) {
      // A file takes whatever is said at once, where a pipe may be full.
      const said = await open(join(folder.path, `said-${run}`), 'w+');
      const child = startProcess(said.fd, 'load', path, String(run * 1_000_000 + 1));
      const exited = once(child, 'exit');
      while (child.exitCode === null && !(await readAll(said)).includes('added')) await sleep(2);
      await sleep(run * 10);
      child.kill('SIGKILL');
      expect(await exited).toEqual([null, 'SIGKILL']);
      const inOrder = new Map<string, number>();
      for (const line of (await readAll(said)).split('\n')) {
        const [what, sessionId, seq] = line.split(' ');
        if (what === 'open') expect(sessionId).toBe('0');
        if (what === 'added') added.add(`${sessionId} ${seq}`);
        if (what !== 'drained') continue;
        drained.add(`${sessionId} ${seq}`);
        expect(Number(seq)).toBeGreaterThan(inOrder.get(sessionId!) ?? 0);
        inOrder.set(sessionId!, Number(seq));
      }
      await said.close();
    }
    const spool = await openSpool(path);
    expect(spool.damaged).toBe(0);
    const waiting = (await drain(spool)).flatMap(({ sessionId, events }) =>
      events.map(({ seq }) => `${sessionId} ${seq}`),
    );
    const kept = new Set([...drained, ...waiting]);
    expect([...added].filter((name) => !kept.has(name))).toEqual([]);
  });
});
