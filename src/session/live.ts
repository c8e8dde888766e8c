/**
 * A live session on this node: takes audio from one connection at a time, survives the loss of it for a while,
 * and ends when the client says so, goes silent or stays away.
 */
import { Failure } from '../domain/failure.ts';
import type { EndedBy } from '../domain/receipt.ts';
import type { SessionRecord } from '../domain/session.ts';
import { type Samples, samples, toSamples, toStreamMs } from '../domain/time.ts';
import type { Answers } from './answers.ts';
import { atDeclaredRate } from './declared-rate.ts';
import { endBadly, endWell } from './ending.ts';
import { type Committed, Intake } from './intake.ts';
import type { Journal } from './journal.ts';
import type { Connection, LiveParts, Phase } from './live-parts.ts';
import { pipelineSettings } from './pipeline.ts';

export class LiveSession {
  readonly record: SessionRecord;
  /** Settles, never rejects, when the session is over here and may be forgotten. */
  readonly over: Promise<void>;
  readonly #journal: Journal;
  readonly #answers: Answers;
  readonly #parts: LiveParts;
  #over = () => {};
  #phase: Phase;
  #intake: Intake | null = null;
  #started: boolean;
  #base: Samples;
  #saved: Samples;
  /** What was acknowledged as never needed again. */
  #stored: Samples;
  #cancelIdle = () => {};
  #interrupted: Promise<void> = Promise.resolve();

  constructor(record: SessionRecord, journal: Journal, answers: Answers, parts: LiveParts) {
    this.record = record;
    this.#journal = journal;
    this.#answers = answers;
    this.#parts = parts;
    this.#started = record.state !== 'PENDING';
    this.#base = samples(Math.max(toSamples(record.processedMs), toSamples(journal.committedMs)));
    this.#saved = this.#base;
    this.#stored = this.#base;
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.#phase = this.#wait();
  }

  /** Whether nobody is connected: a session that waits to be resumed is no load. */
  get waiting(): boolean {
    return this.#phase.kind === 'waiting';
  }

  /**
   * Connects a client, replacing the one before. Audio sent from now on begins at the returned position: where its
   * audio has ended, behind the last of it.
   * @returns Whether the session had audio before, and the position in samples at 16 kHz.
   * @throws Failure `session_ended`; `conflict`, `shutting_down` where it is on its way elsewhere
   */
  async attach(connection: Connection): Promise<{ resumed: boolean; from: Samples }> {
    const before = this.#phase;
    if (before.kind === 'gone') throw before.reason;
    if (before.kind === 'waiting') before.cancel();
    this.#phase = { kind: before.kind === 'ending' ? 'ending' : 'attached', connection };
    if (before.kind !== 'waiting')
      before.connection?.close(new Failure('replaced', 'A newer connection took over this session.'));
    const resumed = this.#started;
    if (before.kind === 'ending') return { resumed, from: this.#received() };
    // One after another: a third connection may come while the second still waits for the run of the first.
    this.#interrupted = this.#interrupted.then(() => this.#interrupt());
    await this.#interrupted;
    if (this.holds(connection)) this.#keepIdleTime();
    return { resumed, from: this.#base };
  }

  /** The client is gone; its session waits for it. Of no effect for a connection already replaced. */
  detach(connection: Connection): void {
    if (this.#phase.kind !== 'attached' || this.#phase.connection !== connection) return;
    this.#cancelIdle();
    this.#phase = this.#wait();
  }

  /** Whether audio of this connection is taken: not so once another came, or the session ends. */
  holds(connection: Connection): boolean {
    return this.#phase.kind === 'attached' && this.#phase.connection === connection;
  }

  /** Takes audio, waiting while there is more than enough to work on. */
  async push(connection: Connection, bytes: Uint8Array): Promise<void> {
    if (!this.holds(connection)) return;
    // A client that has to wait for us is not idle.
    this.#cancelIdle();
    if (!this.#started) {
      const { audio, language } = this.record.options;
      await this.#journal.write({ type: 'session.started', audio, language, model: this.record.model });
      this.#started = true;
      if (!this.holds(connection)) return;
    }
    const intake = (this.#intake ??= this.#takeIn());
    await intake.push(bytes);
    if (this.holds(connection)) this.#keepIdleTime();
    if (this.#receivedMs() > this.#parts.limits.maxSessionMs)
      await this.#end('limit', new Failure('session_too_long', 'The session has reached its longest.'));
  }

  /** Ends the current utterance now; what comes back tells when all that was said before is stored. */
  async commit(connection: Connection): Promise<Committed> {
    const nothing = { stored: Promise.resolve(this.#journal.lastSeq) };
    if (!this.holds(connection)) return nothing;
    this.#keepIdleTime();
    return (await this.#intake?.commit()) ?? nothing;
  }

  /** Drops the open utterance: nothing of it is stored, and its audio counts as silence. What ended before stays. */
  async discard(connection: Connection): Promise<void> {
    if (!this.holds(connection)) return;
    this.#keepIdleTime();
    await this.#intake?.discard();
  }

  /** The client is there, though it has nothing to say: its session is not idle. */
  keepAlive(connection: Connection): void {
    if (this.holds(connection)) this.#keepIdleTime();
  }

  /** No more audio: finishes everything, then closes the connection. */
  async end(connection: Connection, endedBy: EndedBy = 'client'): Promise<void> {
    if (this.holds(connection)) await this.#end(endedBy, 'done');
  }

  /**
   * How far audio has been received, and up to where it will never be needed again since what came of it is
   * stored; both at the session's declared rate.
   */
  position(): { receivedSamples: number; committedSamples: number } {
    if (!this.#parts.isWaiting(this.record.id))
      this.#stored = samples(Math.max(this.#saved, toSamples(this.#journal.committedMs)));
    const receivedSamples = this.#intake?.receivedAtDeclaredRate ?? this.#atDeclaredRate(this.#base);
    const committedSamples = Math.min(receivedSamples, this.#atDeclaredRate(this.#stored));
    return { receivedSamples, committedSamples };
  }

  /** A position at 16 kHz as the client counts: containers stay at 16 kHz. */
  resumeSample(from: Samples): number {
    return this.#atDeclaredRate(from);
  }

  /** The seq of the session's last stored event. */
  get lastSeq(): number {
    return this.#journal.lastSeq;
  }

  /** How far the session has come. Call `saved` once it is stored, so that silence too can be acknowledged. */
  progress(): { readonly processedMs: number; readonly durationMs: number; readonly saved: () => void } {
    const committed = this.#intake?.run.committed ?? this.#base;
    return {
      processedMs: toStreamMs(committed),
      durationMs: this.#receivedMs(),
      saved: () => {
        if (committed > this.#saved) this.#saved = committed;
      },
    };
  }

  /** Erased by its owner: drops everything, stores nothing more. */
  async cancel(): Promise<void> {
    const deleted = new Failure('session_ended', 'This session was deleted.');
    const connection = this.#leave(deleted);
    this.#journal.close();
    connection?.close(deleted);
    await this.#answers.stop();
    await this.#intake?.drop();
    this.#over();
  }

  /** Its client has gone on at another node: drops what is not stored, since it is sent there again. */
  async letGo(): Promise<void> {
    if (this.#isOver) return await this.over;
    const connection = this.#leave(
      new Failure('conflict', 'This session is on its way to another node; try again in a moment.'),
    );
    await this.#intake?.drop();
    await this.#answers.stop();
    connection?.close(new Failure('replaced', 'A newer connection took over this session on another node.'));
    this.#over();
  }

  /** The node goes down: stores what is being said, and leaves the session to be resumed elsewhere. */
  async handOver(): Promise<void> {
    if (this.#isOver) {
      // Its audio has ended: only an answer that takes long could keep it from its receipt.
      await this.#answers.stop();
      return await this.over;
    }
    const restarting = new Failure('shutting_down', 'This node is restarting; connect again to go on.');
    const connection = this.#leave(restarting);
    await this.#intake?.finish().catch(() => {});
    await this.#answers.stop();
    connection?.close(restarting);
    this.#over();
  }

  #wait(): Phase {
    const giveUp = () => void this.#end('timeout', 'done');
    return { kind: 'waiting', cancel: this.#parts.clock.after(this.#parts.limits.resumeWindowMs, giveUp) };
  }

  #keepIdleTime(): void {
    this.#cancelIdle();
    const { idleMs } = this.#parts.limits;
    this.#cancelIdle = this.#parts.clock.after(idleMs, () => {
      void this.#end('timeout', new Failure('idle_timeout', `Nothing was received for ${idleMs} ms.`));
    });
  }

  #takeIn(): Intake {
    const { options } = this.record;
    const { pipeline, decoders, workers } = this.#parts;
    const settings = pipelineSettings(options, 'live', this.#base, workers);
    const parts = { pipeline, journal: this.#journal, answers: this.#answers };
    const intake = new Intake(options.audio, settings, decoders, parts);
    intake.run.done.catch((error: unknown) => {
      // A run that was interrupted ends with an error too, which is nobody's failure.
      if (this.#intake === intake) this.#fail(error);
    });
    return intake;
  }

  /** Stops the run in the works; the next begins where it had committed. */
  async #interrupt(): Promise<void> {
    const intake = this.#intake;
    if (!intake) return;
    this.#intake = null;
    await intake.drop();
    this.#base = intake.run.committed;
  }

  /** Whether it takes no more audio: somebody ends it, or has. */
  get #isOver(): boolean {
    return this.#phase.kind === 'ending' || this.#phase.kind === 'gone';
  }

  /** Takes no more audio, to end here or because it is gone; returns who is connected. */
  #leave(to: 'end' | Failure): Connection | null {
    const phase = this.#phase;
    if (phase.kind === 'waiting') phase.cancel();
    this.#cancelIdle();
    const connection = phase.kind === 'attached' || phase.kind === 'ending' ? phase.connection : null;
    this.#phase = to === 'end' ? { kind: 'ending', connection } : { kind: 'gone', reason: to };
    return connection;
  }

  async #end(endedBy: EndedBy, reason: Failure | 'done'): Promise<void> {
    if (this.#isOver) return;
    this.#leave('end');
    try {
      await this.#intake?.finish();
      await endWell(this.#journal, this.#answers, this.#receivedMs(), endedBy);
    } catch (error) {
      return await this.#break(error);
    }
    this.#leave(new Failure('session_ended', 'This session has ended.'))?.close(reason);
    this.#over();
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#leave('end');
    void this.#break(error);
  }

  async #break(error: unknown): Promise<void> {
    const reason =
      error instanceof Failure
        ? error
        : new Failure('internal', 'The session failed on our side.', { cause: error });
    // A store that is away keeps the session open for its client to resume; it cannot be told that it failed. Nor is
    // it ours to end where another node has it.
    if (reason.code !== 'storage_unavailable' && reason.code !== 'claim_lost')
      await endBadly(this.#journal, this.#answers, this.#receivedMs(), reason).catch(() => {});
    this.#leave(reason)?.close(reason);
    this.#over();
  }

  #received(): Samples {
    return this.#intake?.received ?? this.#base;
  }

  #receivedMs(): number {
    return toStreamMs(this.#received());
  }

  #atDeclaredRate(position: Samples): number {
    return atDeclaredRate(position, this.record.options.audio);
  }
}
