/**
 * Which live sessions are on this node. A session is claimed in the store while it is here, so that two nodes
 * never work on the same one; the claims of a node that died run out by themselves, and a sweep ends what
 * nobody came back for.
 */
import { Failure } from '../domain/failure.ts';
import { hasEnded, type SessionRecord } from '../domain/session.ts';
import { type Clock, sleep } from '../flow/clock.ts';
import type { Claim } from '../store/store.ts';
import { endWell } from './ending.ts';
import { LiveSession } from './live.ts';
import type { LiveParts } from './live-parts.ts';
import { CLAIM_MS, type OpeningParts, openSession } from './opening.ts';

/** Sessions here in all, those that wait for their client included, for each that is being served. */
const HERE_PER_SERVED = 4;

/** How long a client may wait for the claim of a node that died, or lets go. */
const CONFLICT_RETRY_MS = 1000;

/** Between asking another node for a session and trying to claim it: it may have to let go of work first. */
const ASKED_DELAYS_MS = [50, 100, 200, 400, 800, 1600];

/** How often claims are renewed and progress is stored. */
const BEAT_MS = 5000;

export interface DirectoryParts {
  readonly opening: OpeningParts;
  readonly live: LiveParts;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly maxLiveSessions: number;
  /** Asks the other nodes to let a session go. */
  readonly askFor: (sessionId: string) => void;
  /** Told of failures of the node's own housekeeping. */
  readonly onError: (error: unknown) => void;
}

export class Directory {
  readonly #parts: DirectoryParts;
  readonly #here = new Map<string, Promise<LiveSession>>();
  readonly #opened = new Map<string, LiveSession>();
  #closing = false;
  #cancelBeat = () => {};

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
    this.#beat();
  }

  /** Sessions on this node, those included that wait for their client. */
  get size(): number {
    return this.#here.size;
  }

  /** @throws Failure `overloaded` where no further session is taken, `shutting_down`. */
  admit(): void {
    this.#refuseWhileClosing();
    const { maxLiveSessions } = this.#parts;
    const waiting = [...this.#opened.values()].filter((session) => session.waiting).length;
    const served = this.#here.size - waiting;
    if (served < maxLiveSessions && this.#here.size < HERE_PER_SERVED * maxLiveSessions) return;
    const message = `This node already serves ${served} live sessions; try again in a moment.`;
    throw new Failure('overloaded', message, { retryAfterMs: 5000 });
  }

  /**
   * The live session of a record, taken up here where it is not already.
   * @throws Failure `session_ended`, `conflict` where another node holds it, `overloaded`
   */
  async open(record: SessionRecord): Promise<LiveSession> {
    if (hasEnded(record.state)) throw new Failure('session_ended', 'This session has ended.');
    const here = this.#here.get(record.id);
    if (here) return await here;
    // Who comes back goes before who comes new.
    if (record.state === 'PENDING') this.admit();
    else this.#refuseWhileClosing();
    const opening = this.#open(record);
    this.#here.set(record.id, opening);
    opening.then(
      (session) => {
        this.#opened.set(record.id, session);
        void session.over.then(() => this.#forget(record.id));
      },
      () => this.#forget(record.id),
    );
    return await opening;
  }

  /** Drops a session that is being deleted. */
  async cancel(id: string): Promise<void> {
    const session = await this.#here.get(id)?.catch(() => null);
    await session?.cancel();
  }

  /** Lets a session go whose client has come to another node: the audio that is not committed is sent there again. */
  async letGo(id: string): Promise<void> {
    const session = await this.#here.get(id)?.catch(() => null);
    if (!session) return;
    await session.letGo();
    await this.#release(id);
  }

  /** Ends live sessions whose node is gone and whose client did not come back. */
  async sweep(resumeWindowMs: number): Promise<void> {
    const { store } = this.#parts.opening;
    for (const record of await store.sessions.abandoned('live', this.#parts.clock.now() - resumeWindowMs)) {
      // What waits here is stored before anybody looks at where the session stands.
      if (this.#here.has(record.id) || store.isWaiting(record.id)) continue;
      const claim = await this.#claim(record.id);
      if (!claim) continue;
      const { journal, answers } = await openSession(record, claim.fence, this.#parts.opening);
      await endWell(journal, answers, Math.max(journal.committedMs, record.processedMs), 'timeout');
    }
  }

  /** Stores what is being said in every session and leaves them to be resumed, here after a restart or elsewhere. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#cancelBeat();
    const sessions = await Promise.allSettled(this.#here.values());
    await Promise.all(
      sessions.map(async (session) => {
        if (session.status !== 'fulfilled') return;
        await session.value.handOver();
        // Where that fails, the claim runs out by itself; the others are to be handed over all the same.
        await this.#release(session.value.record.id).catch(this.#parts.onError);
      }),
    );
  }

  #refuseWhileClosing(): void {
    if (this.#closing) throw new Failure('shutting_down', 'This node is restarting; try again in a moment.');
  }

  #forget(id: string): void {
    this.#here.delete(id);
    this.#opened.delete(id);
  }

  async #open(record: SessionRecord): Promise<LiveSession> {
    const { opening, live } = this.#parts;
    const { fence } = await this.#takeOver(record.id);
    // As it stands now: the node before may have stored more since the record was read.
    const present = (await opening.store.sessions.find(record.id, record.tenantId)) ?? record;
    const { journal, answers } = await openSession(present, fence, opening);
    return new LiveSession(present, journal, answers, live);
  }

  /** Claims a session, from another node where it is there: a client has come here to go on. */
  async #takeOver(id: string): Promise<Claim> {
    const claim = await this.#claim(id);
    if (claim) return claim;
    this.#parts.askFor(id);
    for (const delayMs of ASKED_DELAYS_MS) {
      await sleep(this.#parts.clock, delayMs);
      const given = await this.#claim(id);
      if (given) return given;
    }
    throw new Failure('conflict', 'This session is in use on another node; try again in a moment.', {
      retryAfterMs: CONFLICT_RETRY_MS,
    });
  }

  #claim(id: string): Promise<Claim | null> {
    const { opening, nodeId, clock } = this.#parts;
    return opening.store.sessions.claim(id, nodeId, clock.now() + CLAIM_MS);
  }

  #release(id: string): Promise<void> {
    return this.#parts.opening.store.sessions.release(id, this.#parts.nodeId);
  }

  /** Renews the claims of all sessions here and stores how far they have come, in one go. */
  async #renew(): Promise<void> {
    const { opening, nodeId, clock } = this.#parts;
    const here = [...this.#opened].map(([id, session]) => ({ id, session, ...session.progress() }));
    if (here.length === 0) return;
    const held = await opening.store.sessions.renew(nodeId, clock.now() + CLAIM_MS, here);
    for (const { id, session, saved } of here) {
      if (held.has(id)) saved();
      else void session.letGo().catch(this.#parts.onError);
    }
  }

  #beat(): void {
    this.#cancelBeat = this.#parts.clock.after(BEAT_MS, async () => {
      await this.#renew().catch(this.#parts.onError);
      if (!this.#closing) this.#beat();
    });
  }
}
