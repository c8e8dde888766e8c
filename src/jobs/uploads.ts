/**
 * Where the audio of recordings is until it is transcribed: in a folder of this node's own and, where nodes share a
 * database, in pieces there, from which any of them can fetch it.
 */
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import { type Clock, sleep } from '../flow/clock.ts';
import type { SessionStore, UploadStore } from '../store/store.ts';
import { eraseOrphans } from './orphans.ts';

const PIECE_BYTES = 1024 * 1024;

/** Between tries to fetch audio by URL; after the last the recording fails. */
const FETCH_DELAYS_MS = [1_000, 4_000, 15_000, 60_000];

/** Pieces that old belong to an upload that was given up: see `orphans.ts`. */
const RECEIVED_WITHIN_MS = 60 * 60_000;

export interface UploadsParts {
  readonly folder: string;
  readonly sessions: Pick<SessionStore, 'find'>;
  /** Null where this node is alone. */
  readonly shared: UploadStore | null;
  readonly clock: Clock;
  /** Fetches what is at an address into a file. @throws Failure */
  readonly fetch: (url: string, path: string, signal: AbortSignal) => Promise<void>;
  /** Whether such a failure may pass by itself. */
  readonly mayPass: (error: unknown) => boolean;
}

export class Uploads {
  readonly #parts: UploadsParts;

  private constructor(parts: UploadsParts) {
    this.#parts = parts;
  }

  static async open(parts: UploadsParts): Promise<Uploads> {
    await mkdir(parts.folder, { recursive: true, mode: 0o700 });
    return new Uploads(parts);
  }

  /** Where an upload is kept here. The name is the gateway's own. */
  pathOf(sessionId: string): string {
    return join(this.#parts.folder, sessionId);
  }

  /** Gives an upload that is complete to the other nodes, before its session is made. */
  async share(sessionId: string): Promise<void> {
    const { shared } = this.#parts;
    if (!shared) return;
    let n = 0;
    const file = createReadStream(this.pathOf(sessionId), { highWaterMark: PIECE_BYTES });
    for await (const piece of file) await shared.put(sessionId, n++, piece as Buffer);
  }

  /**
   * The file with a recording's audio, fetched to this node where it is not here.
   * @throws Failure that ends the recording; the signal's reason when aborted.
   */
  async locate({ id, audioUrl }: SessionRecord, signal: AbortSignal): Promise<string> {
    const path = this.pathOf(id);
    if (existsSync(path)) return path;
    if (audioUrl !== null) {
      await this.#fetch(audioUrl, path, signal);
      return path;
    }
    const { shared } = this.#parts;
    const first = await shared?.get(id, 0);
    if (!shared || !first)
      throw new Failure('internal', 'The recording is no longer on this node; please send it again.');
    const pieces = Readable.from(piecesOf(shared, id, first));
    await whole(path, (unfinished) =>
      pipeline(pieces, createWriteStream(unfinished, { mode: 0o600 }), { signal }),
    );
    return path;
  }

  /**
   * Fetches a recording to this node for a client that waits for it: once, as the client is told what was wrong.
   * @returns Where it is.
   * @throws Failure
   */
  async fetch(sessionId: string, url: string, signal: AbortSignal): Promise<string> {
    const path = this.pathOf(sessionId);
    await whole(path, (unfinished) => this.#parts.fetch(url, unfinished, signal));
    return path;
  }

  /** Throws an upload away, here and for the other nodes. */
  async discard(sessionId: string): Promise<void> {
    await rm(this.pathOf(sessionId), { force: true });
    await this.#parts.shared?.remove(sessionId);
  }

  /** Erases what belongs to nothing: its node died while it was received, or just after it was done with. */
  async eraseOrphans(nowMs: number): Promise<void> {
    await eraseOrphans(this.#parts.folder, this.#parts.sessions, nowMs);
    await this.#parts.shared?.removeOrphans(nowMs - RECEIVED_WITHIN_MS);
  }

  async #fetch(url: string, path: string, signal: AbortSignal): Promise<void> {
    const { fetch, mayPass, clock } = this.#parts;
    const once = () => whole(path, (unfinished) => fetch(url, unfinished, signal));
    for (const delayMs of FETCH_DELAYS_MS) {
      try {
        return await once();
      } catch (error) {
        signal.throwIfAborted();
        if (!mayPass(error)) throw error;
        await sleep(clock, delayMs, signal);
      }
    }
    await once();
  }
}

async function* piecesOf(shared: UploadStore, id: string, first: Uint8Array): AsyncGenerator<Uint8Array> {
  yield first;
  for (let n = 1; ; n++) {
    const piece = await shared.get(id, n);
    if (!piece) return;
    yield piece;
  }
}

/** Writes a file that is there whole or not at all. */
async function whole(path: string, write: (unfinished: string) => Promise<unknown>): Promise<void> {
  const unfinished = `${path}.part`;
  try {
    await write(unfinished);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
