/**
 * Where a session's events are written down: durable ones into the log first and only then to those who
 * listen, hints straight to them. One journal writes for one session, one append at a time, so listeners see
 * seqs in order.
 */
import type { DurableDraft, DurableEvent, HintDraft } from '../domain/event.ts';
import { isTerminal } from '../domain/event.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { EMPTY_TALLY, type Tally, tally } from '../domain/receipt.ts';
import { type Clock, sleep } from '../flow/clock.ts';
import type { EventLog } from '../store/store.ts';
import type { Hub } from './hub.ts';

/** Waits between tries while the database is away; after the last the write fails. About a minute in all. */
const RETRY_DELAYS_MS = [100, 250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000];

const PAGE = 500;

export interface JournalParts {
  readonly log: EventLog;
  readonly hub: Hub;
  readonly clock: Clock;
}

export class Journal {
  readonly sessionId: string;
  readonly #tenantId: string;
  readonly #fence: number;
  readonly #parts: JournalParts;
  #tally: Tally = EMPTY_TALLY;
  #committedMs = 0;
  #lastSeq = 0;
  #finals: { text: string; language: string }[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(session: { id: string; tenantId: string }, fence: number, parts: JournalParts) {
    this.sessionId = session.id;
    this.#tenantId = session.tenantId;
    this.#fence = fence;
    this.#parts = parts;
  }

  /**
   * Opens the journal of a session, taking up the account where its log ends.
   * @param fence Of the claim by which this node holds the session: once another does, nothing more is written.
   */
  static async open(
    session: { id: string; tenantId: string },
    fence: number,
    parts: JournalParts,
  ): Promise<Journal> {
    const journal = new Journal(session, fence, parts);
    for (let after = 0; ; ) {
      const page = await parts.log.read(session.id, after, PAGE);
      for (const event of page) {
        journal.#count(event);
        if (event.type === 'transcript.final') journal.#finals.push(event);
      }
      if (page.length < PAGE) return journal;
      after = page.at(-1)!.seq;
    }
  }

  /** What the stored events account for. */
  get tally(): Tally {
    return this.#tally;
  }

  /** The seq of the last stored event; 0 before the first. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The finals that were in the log when it was opened. */
  get earlierFinals(): readonly { text: string; language: string }[] {
    return this.#finals;
  }

  /** Up to where the audio is reflected in stored utterances. */
  get committedMs(): number {
    return this.#committedMs;
  }

  /**
   * Stores drafts, then tells the listeners. Waits for the database to come back for about a minute.
   * @throws Failure `storage_unavailable`, `claim_lost`, `session_ended`, `not_found`
   */
  write(...drafts: readonly DurableDraft[]): Promise<void> {
    const written = this.#last.then(() => this.#write(drafts));
    this.#last = written.catch(() => {});
    return written;
  }

  /** Stores and tells nothing more, since the session is being erased: further writes fail. */
  close(): void {
    this.#closed = true;
  }

  /** Tells the listeners something that is true now and need not be kept. */
  hint(draft: HintDraft): void {
    if (this.#closed) return;
    const { hub, clock } = this.#parts;
    const at = new Date(clock.now()).toISOString();
    hub.publish(this.#tenantId, { ...draft, sessionId: this.sessionId, at });
  }

  async #write(drafts: readonly DurableDraft[]): Promise<void> {
    if (this.#closed) throw new Failure('session_ended', 'This session was deleted.');
    for (const event of await this.#append(drafts)) {
      this.#count(event);
      this.#parts.hub.publish(this.#tenantId, event);
      if (isTerminal(event)) this.#parts.hub.end(this.sessionId);
    }
  }

  async #append(drafts: readonly DurableDraft[]): Promise<DurableEvent[]> {
    const turn = { fence: this.#fence, afterSeq: this.#lastSeq, atMs: this.#parts.clock.now() };
    for (const delayMs of RETRY_DELAYS_MS) {
      try {
        return await this.#parts.log.append(this.sessionId, drafts, turn);
      } catch (error) {
        if (!isFailure(error, 'storage_unavailable')) throw error;
        await sleep(this.#parts.clock, delayMs);
      }
    }
    return await this.#parts.log.append(this.sessionId, drafts, turn);
  }

  #count(event: DurableEvent): void {
    this.#tally = tally(this.#tally, event);
    this.#lastSeq = event.seq;
    if (event.type === 'transcript.final' || event.type === 'transcript.suppressed')
      this.#committedMs = Math.max(this.#committedMs, event.endMs);
  }
}
