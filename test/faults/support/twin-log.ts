/** The nodes' side of a log and its model: what each knows of its turn, what it last wrote, and what comes of writing. */
import { expect } from 'vitest';
import type { DurableDraft, DurableEvent } from '../../../src/domain/event.ts';
import { bodyOf } from '../../../src/store/event-row.ts';
import type { EventLog, Turn } from '../../../src/store/store.ts';
import { done, failed, final, started } from '../../store/suites/fixture.ts';
import type { FakeClock } from '../../support/fake-clock.ts';
import type { Kind, Skew } from './actions.ts';
import type { Model, Outcome, Said } from './model.ts';

/** What a node last wrote, or tried to. */
interface Write {
  readonly drafts: readonly DurableDraft[];
  readonly turn: Turn;
}

const saidOf = (draft: DurableDraft): Said => ({ type: draft.type, body: bodyOf(draft) });

/** What a call gives back, or the code it fails with; other errors are nobody's expectation. */
export async function outcomeOf<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: await call };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string') throw error;
    return { code };
  }
}

/** In a word. */
const wordOf = (outcome: Outcome<unknown>): string => ('code' in outcome ? outcome.code : 'stored');

export class TwinLog {
  readonly #log: EventLog;
  readonly #model: Model;
  readonly #clock: FakeClock;
  readonly #turns = new Map<string, Turn>();
  readonly #writes = new Map<string, Write>();
  #spoken = 0;

  constructor(log: EventLog, model: Model, clock: FakeClock) {
    this.#log = log;
    this.#model = model;
    this.#clock = clock;
  }

  /** A node has claimed a session, and read its log; where it held it before, it knows all that already. */
  learn(id: string, node: string, fence: number): void {
    const key = `${node} ${id}`;
    if (this.#turns.get(key)?.fence === fence) return;
    this.#turns.set(key, { fence, afterSeq: this.#model.sessions.get(id)!.events.length });
  }

  /** All processes have died. */
  forget(): void {
    this.#turns.clear();
    this.#writes.clear();
  }

  async append(id: string, node: string, what: readonly Kind[], skew: Skew | null): Promise<string> {
    const drafts = what.map((kind) => this.#draft(kind));
    return await this.#append(id, node, drafts, skew && this.#turnOf(id, node, skew));
  }

  async repeat(id: string, node: string): Promise<string> {
    const write = this.#writes.get(`${node} ${id}`);
    return write ? await this.#append(id, node, write.drafts, write.turn) : 'nothing';
  }

  /** What the node last wrote, and more after it, as from a spool. */
  async replay(id: string, node: string, what: readonly Kind[], skew: Skew | null): Promise<string> {
    const last = this.#writes.get(`${node} ${id}`);
    const turn = last?.turn ?? this.#turnOf(id, node, skew ?? { fence: 0, afterSeq: 0 });
    const drafts = [...(last?.drafts ?? []), ...what.map((kind) => this.#draft(kind))];
    const atMs = this.#clock.now() - 10;
    const events = drafts.map((draft, index) => {
      const seq = turn.afterSeq + 1 + index;
      return { ...draft, sessionId: id, seq, at: new Date(atMs).toISOString() } as DurableEvent;
    });
    const expected = this.#model.replay(id, drafts.map(saidOf), turn, atMs);
    const came = await outcomeOf(this.#log.replay(id, events, turn.fence));
    expect(wordOf(came)).toBe(wordOf(expected));
    if ('ok' in expected) this.#wrote(id, node, drafts, turn);
    return wordOf(expected);
  }

  async #append(
    id: string,
    node: string,
    drafts: readonly DurableDraft[],
    turn: Turn | null,
  ): Promise<string> {
    const model = this.#model;
    const before = model.sessions.get(id)?.events.length;
    const expected = model.append(id, drafts.map(saidOf), turn, this.#clock.now());
    const came = await outcomeOf(this.#log.append(id, drafts, turn ?? undefined));
    if ('code' in expected) {
      expect(came).toEqual(expected);
      if (turn) this.#writes.set(`${node} ${id}`, { drafts, turn });
      return expected.code;
    }
    const seqs = drafts.map((draft, at) => ({ type: draft.type, sessionId: id, seq: expected.ok + at }));
    expect(came).toMatchObject({ ok: seqs });
    if (turn) this.#wrote(id, node, drafts, turn);
    return model.sessions.get(id)!.events.length === before ? 'stored already' : 'stored';
  }

  #wrote(id: string, node: string, drafts: readonly DurableDraft[], turn: Turn): void {
    const key = `${node} ${id}`;
    this.#writes.set(key, { drafts, turn });
    const known = this.#turns.get(key);
    const afterSeq = turn.afterSeq + drafts.length;
    if (known?.fence === turn.fence && known.afterSeq < afterSeq)
      this.#turns.set(key, { ...known, afterSeq });
  }

  /** What a node knows, and what it does not. */
  #turnOf(id: string, node: string, skew: Skew): Turn {
    const { fence, afterSeq } = this.#turns.get(`${node} ${id}`) ?? { fence: 0, afterSeq: 0 };
    return { fence: fence + skew.fence, afterSeq: Math.max(0, afterSeq + skew.afterSeq) };
  }

  /** Words never repeat themselves; the other events may look like others of their kind. */
  #draft(kind: Kind): DurableDraft {
    switch (kind) {
      case 'session.started':
        return started;
      case 'transcript.final':
        return final(1000 * ++this.#spoken);
      case 'session.done':
        return done();
      case 'session.failed':
        return failed();
    }
  }
}
