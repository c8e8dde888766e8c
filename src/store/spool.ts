/**
 * Events that wait for the database: on disk before anybody counts on them, in order, bounded.
 *
 * Lines lie in segments, filled one after the other. How far they are drained is noted nowhere: a segment is
 * deleted, and the last one emptied, when none of its lines waits any more. So what a killed process had drained
 * of a segment is drained once more, which changes nothing, as `EventLog.replay` passes over what is stored; an
 * offset on disk would cost a write for every entry, to spare a few queries after a crash.
 *
 * Order counts within a session only. Sessions take turns, and what waits of one goes together, so that draining
 * is faster than the writing that goes on meanwhile, and a session that is refused is in nobody's way. Some 100
 * bytes of memory are held for each entry.
 */
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { takeFolder } from './owner-lock.ts';
import { SpoolIndex, type Tail } from './spool-index.ts';
import { entryOf, lineOf, linesIn, type SpoolEntry } from './spool-line.ts';
import { SpoolSegment } from './spool-segment.ts';

const SEGMENT_NAME = /^\d{10}\.jsonl$/;

/** A segment is full at this part of what the whole spool may hold. */
const SEGMENT_SHARE = 1 / 16;

/** No room: on the disk, in the user's quota (quotactl(2)), in what a process may write to a file (setrlimit(2)). */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

interface Adding {
  readonly entry: SpoolEntry;
  readonly line: Buffer;
  resolve(): void;
  reject(error: unknown): void;
}

const full = (cause?: unknown): Failure =>
  new Failure('storage_full', 'There is no more room for what waits for the database.', { cause });

export class Spool {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #release: () => void;
  readonly #index = new SpoolIndex();
  /** Oldest first; the last one is written to. */
  #segments: SpoolSegment[] = [];
  #nextName = 1;
  #head: { readonly sessionId: string; readonly count: number } | null = null;
  #adding: Adding[] = [];
  #addingBytes = 0;
  #damaged = 0;
  #isClosed = false;
  /** Whatever changes files happens one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, maxBytes: number, release: () => void) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#release = release;
  }

  /**
   * Opens a folder, which is made where it is missing, with what an earlier process left there.
   * @param options `maxBytes` is what the folder may take on disk.
   * @throws Failure `conflict` where another process, or this one, has the folder open.
   */
  static async open(folder: string, options: { readonly maxBytes: number }): Promise<Spool> {
    const spool = new Spool(folder, options.maxBytes, await takeFolder(folder));
    try {
      await chmod(folder, 0o700);
      await spool.#recover();
      return spool;
    } catch (error) {
      await spool.close();
      throw error;
    }
  }

  /** Bytes that wait. */
  get size(): number {
    return this.#index.size;
  }

  /** Entries that wait. */
  get waiting(): number {
    return this.#index.waiting;
  }

  /** Sessions of which something waits. */
  get sessions(): number {
    return this.#index.sessions;
  }

  /** How many lines were found damaged since it was opened; their events are lost. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Whether something of a session waits. */
  has(sessionId: string): boolean {
    return this.#index.has(sessionId);
  }

  /** The last event of a session that waits; null where none does. */
  tailOf(sessionId: string): Tail | null {
    return this.#index.tailOf(sessionId);
  }

  /**
   * Adds an entry behind all others of its session. Resolves once it is on disk; entries that come while others
   * are being written go to disk together.
   * @throws Failure `storage_full` where it would be more than `maxBytes`, or the disk is full, `shutting_down`
   * once it is closed. Where an entry cannot be written, those that came after it are refused with it.
   */
  async add(entry: SpoolEntry): Promise<void> {
    if (this.#isClosed) throw new Failure('shutting_down', 'The spool is closed.');
    if (entry.events.length === 0) return;
    const line = lineOf(entry);
    if (this.#diskBytes + this.#addingBytes + line.length > this.#maxBytes) throw full();
    await new Promise<void>((resolve, reject) => {
      this.#adding.push({ entry, line, resolve, reject });
      this.#addingBytes += line.length;
      if (this.#adding.length === 1) void this.#inTurn(() => this.#flush());
    });
  }

  /**
   * What is to be drained next: the oldest of the session whose turn it is, with what follows it there under the
   * same claim. Null where nothing waits. It waits on until {@link removeHead}.
   */
  async head(): Promise<SpoolEntry | null> {
    for (let next = this.#index.next(); next; next = this.#index.next()) {
      const { sessionId, places } = next;
      const lines = await Promise.all(
        places.map(({ segment, offset, length }) => segment.read(offset, length)),
      );
      const entries = lines.map(entryOf);
      const damaged = entries.indexOf(null);
      if (damaged < 0) {
        this.#head = { sessionId, count: places.length };
        return { sessionId, fence: places[0]!.fence, events: entries.flatMap((entry) => entry!.events) };
      }
      this.#damaged++;
      await this.#remove(sessionId, damaged, 1);
    }
    return null;
  }

  /** Lets go of what {@link head} returned last; the next head is another session's, where there is one. */
  async removeHead(): Promise<void> {
    if (!this.#head) return;
    const { sessionId, count } = this.#head;
    const removed = this.#remove(sessionId, 0, count);
    this.postpone();
    await removed;
  }

  /** Keeps what {@link head} returned last, and lets all other sessions go before it. */
  postpone(): void {
    if (this.#head) this.#index.postpone(this.#head.sessionId);
    this.#head = null;
  }

  /** Writes what was added, and lets the folder go. What waits stays there. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#inTurn(async () => {
        for (const segment of this.#segments) await segment.close();
      });
    } finally {
      this.#release();
    }
  }

  get #diskBytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #recover(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => SEGMENT_NAME.test(name)).sort();
    for (const name of names) {
      const { segment, content } = await SpoolSegment.open(join(this.#folder, name));
      this.#segments.push(segment);
      this.#nextName = Number.parseInt(name, 10) + 1;
      let end = 0;
      for (const { offset, length, entry } of linesIn(content)) {
        if (entry) this.#index.add(entry, segment, offset, length);
        else this.#damaged++;
        end = offset + length;
      }
      // At the very end it was still being written when the process died: nobody counts on it.
      if (end < content.length && name === names.at(-1)) await segment.truncate(end);
      else if (end < content.length) this.#damaged++;
    }
    await this.#tidy();
  }

  /** Never rejects: those who added are told. */
  async #flush(): Promise<void> {
    const batch = this.#adding.splice(0);
    if (batch.length === 0) return;
    try {
      await this.#write(batch);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const isFull = NO_ROOM.has((error as NodeJS.ErrnoException).code ?? '');
      batch.push(...this.#adding.splice(0));
      for (const { reject } of batch) reject(isFull ? full(error) : error);
    }
    for (const { line } of batch) this.#addingBytes -= line.length;
  }

  async #write(batch: readonly Adding[]): Promise<void> {
    let segment = this.#segments.at(-1);
    if (!segment || segment.bytes >= this.#maxBytes * SEGMENT_SHARE) {
      const name = `${String(this.#nextName++).padStart(10, '0')}.jsonl`;
      segment = await SpoolSegment.create(join(this.#folder, name));
      this.#segments.push(segment);
    }
    let offset = segment.bytes;
    await segment.append(Buffer.concat(batch.map(({ line }) => line)));
    for (const { entry, line } of batch) {
      this.#index.add(entry, segment, offset, line.length);
      offset += line.length;
    }
  }

  /** Out of memory at once, and off the disk where a segment has nothing else that waits. */
  async #remove(sessionId: string, from: number, count: number): Promise<void> {
    if (this.#index.remove(sessionId, from, count)) await this.#inTurn(() => this.#tidy());
  }

  async #tidy(): Promise<void> {
    if (this.#isClosed) return;
    const current = this.#segments.at(-1);
    for (const segment of this.#segments.filter(({ waiting }) => waiting === 0))
      if (segment !== current) {
        await segment.delete();
        this.#segments = this.#segments.filter((other) => other !== segment);
      } else if (segment.bytes > 0) await segment.truncate(0);
  }
}
