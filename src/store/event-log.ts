/** The log of durable events: one statement gives a batch its seqs, stores it and moves the session on. */
import { and, asc, eq, gt } from 'drizzle-orm';
import type { DurableDraft, DurableEvent } from '../domain/event.ts';
import { Failure } from '../domain/failure.ts';
import { hasEnded, nextState, SESSION_STATES, type SessionState } from '../domain/session.ts';
import type { Clock } from '../flow/clock.ts';
import { type Appended, append, type Stamped } from './append.ts';
import type { Client, Database } from './database.ts';
import { bodyOf, eventOf } from './event-row.ts';
import { readFeed } from './feed.ts';
import { events } from './schema.ts';
import type { EventLog, Turn } from './store.ts';

/** Where a batch leads from `state`: the last state, or, where one draft is not allowed, the state it met. */
function follow(
  state: SessionState,
  drafts: readonly DurableDraft[],
): { allowed: boolean; state: SessionState } {
  for (const draft of drafts) {
    const next = nextState(state, draft);
    if (next === null) return { allowed: false, state };
    state = next;
  }
  return { allowed: true, state };
}

/** The outcome for every state the session may be found in, for the database to choose from. */
function outcomes(drafts: readonly DurableDraft[]): Partial<Record<SessionState, SessionState>> {
  const paths = SESSION_STATES.map((from) => [from, follow(from, drafts)] as const);
  return Object.fromEntries(paths.filter(([, to]) => to.allowed).map(([from, to]) => [from, to.state]));
}

function refusal(found: SessionState, drafts: readonly DurableDraft[]): Failure {
  const { state } = follow(found, drafts);
  return hasEnded(state)
    ? new Failure('session_ended', 'The session has ended: it takes no more events.')
    : new Failure('conflict', `The session is ${state}, which does not allow that.`);
}

const claimLost = (): Failure => new Failure('claim_lost', 'Another node has taken the session over.');

async function readEvents(
  { orm }: Client,
  sessionId: string,
  afterSeq: number,
  limit: number,
): Promise<DurableEvent[]> {
  const isWanted = and(eq(events.sessionId, sessionId), gt(events.seq, afterSeq));
  const rows = await orm.select().from(events).where(isWanted).orderBy(asc(events.seq)).limit(limit);
  return rows.map(eventOf);
}

/** Whether a stored event is what a draft would have become. */
const isSame = (event: DurableEvent, { draft }: Stamped): boolean => {
  const { sessionId: _, seq: __, at: ___, ...fields } = event;
  return bodyOf(fields as DurableDraft) === bodyOf(draft) && event.type === draft.type;
};

/**
 * Appends, or finds that a try whose answer got lost has done so.
 * @returns The events that were there already; null where they were stored now.
 */
async function appendOnce(
  client: Client,
  sessionId: string,
  batch: readonly Stamped[],
  turn: Turn | null,
): Promise<{ row: Appended; before: DurableEvent[] | null }> {
  const drafts = batch.map(({ draft }) => draft);
  const row = await append(client.sql, sessionId, batch, outcomes(drafts), turn);
  if (!row) throw new Failure('not_found', 'There is no such session.');
  if (row.stored) return { row, before: null };
  if (turn && row.lastSeq >= turn.afterSeq + batch.length) {
    const before = await readEvents(client, sessionId, turn.afterSeq, batch.length);
    if (before.length === batch.length && before.every((event, i) => isSame(event, batch[i]!)))
      return { row, before };
  }
  if (turn && (row.fence !== turn.fence || row.lastSeq !== turn.afterSeq)) throw claimLost();
  throw refusal(row.state, drafts);
}

export function eventLog(database: Database, clock: Clock): EventLog {
  return {
    async append(sessionId, drafts, turn) {
      if (drafts.length === 0) return [];
      const at = new Date(turn?.atMs ?? clock.now());
      const batch = drafts.map((draft) => ({ draft, at: at.toISOString() }));
      const { row, before } = await database.run((client) =>
        appendOnce(client, sessionId, batch, turn ?? null),
      );
      if (before) return before;
      // Through JSON, so that what is told now and what is read later are the same to the byte.
      return drafts.map((draft, index) => {
        const body: unknown = JSON.parse(bodyOf(draft));
        return eventOf({ sessionId, seq: row.lastSeq + 1 + index, type: draft.type, body, at });
      });
    },

    async replay(sessionId, given, fence) {
      const [first] = given;
      if (!first) return;
      await database.run(async (client) => {
        const stored = await readEvents(client, sessionId, first.seq - 1, given.length);
        const batch = given.map(({ sessionId: _, seq: __, at, ...draft }) => ({
          draft: draft as DurableDraft,
          at,
        }));
        if (!stored.every((event, i) => isSame(event, batch[i]!))) throw claimLost();
        const rest = batch.slice(stored.length);
        if (rest.length === 0) return;
        await appendOnce(client, sessionId, rest, { fence, afterSeq: first.seq - 1 + stored.length });
      });
    },

    read: (sessionId, afterSeq, limit) =>
      database.run((client) => readEvents(client, sessionId, afterSeq, limit)),

    feed: (tenantId, cursor, limit) => database.run((client) => readFeed(client, tenantId, cursor, limit)),
  };
}
