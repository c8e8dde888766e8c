/** What a store is to do, in memory and in as few words as possible: written from the promises, not from the code. */
import type { Turn } from '../../../src/store/store.ts';

/** An event, or the draft of one, as far as the model tells them apart. */
export interface Said {
  readonly type: string;
  /** Its own fields, as JSON. */
  readonly body: string;
}

interface ModelDelivery {
  state: 'pending' | 'sent' | 'failed';
  attempts: number;
  roundAttempts: number;
  nextMs: number | null;
  lease: number;
  leaseUntilMs: number;
  body: string | null;
}

export interface ModelSession {
  readonly id: string;
  /** Of its webhook; null where it has none. */
  readonly url: string | null;
  state: string;
  events: Said[];
  /** Changes of its state, in order. */
  changes: string[];
  endedMs: number;
  owner: string | null;
  ownerUntilMs: number;
  fence: number;
  crashes: number;
  delivery: ModelDelivery | null;
}

/** What came of a call: a failure's code, or what it gives back. */
export type Outcome<T> = { readonly code: string } | { readonly ok: T };

const STEPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  PENDING: { 'session.started': 'IN_PROGRESS', 'session.done': 'DONE', 'session.failed': 'FAILED' },
  IN_PROGRESS: { 'session.done': 'DONE', 'session.failed': 'FAILED' },
};
const isRunning = (state: string): boolean => state in STEPS;

const isSame = (a: Said | undefined, b: Said): boolean => a?.type === b.type && a.body === b.body;

/** Where drafts lead from a state, and whether all of them are allowed. */
function walk(state: string, drafts: readonly Said[]): { state: string; isAllowed: boolean } {
  for (const { type } of drafts) {
    const next = type.startsWith('session.') ? STEPS[state]?.[type] : isRunning(state) ? state : undefined;
    if (next === undefined) return { state, isAllowed: false };
    state = next;
  }
  return { state, isAllowed: true };
}

/** All sessions are of one tenant. */
export class Model {
  readonly sessions = new Map<string, ModelSession>();
  /** Receivers that fail. */
  readonly endpoints = new Map<string, { sinceMs: number; isDisabled: boolean }>();

  create(id: string, url: string | null, nowMs: number): void {
    const claim = { owner: null, ownerUntilMs: nowMs, fence: 0, crashes: 0 };
    const log = { state: 'PENDING', events: [], changes: [], endedMs: 0 };
    this.sessions.set(id, { id, url, ...log, ...claim, delivery: null });
  }

  /** Null where there is nothing to claim. */
  claim(id: string, node: string, untilMs: number, nowMs: number): { fence: number; crashes: number } | null {
    const session = this.sessions.get(id);
    if (!session || !isRunning(session.state)) return null;
    const isOwn = session.owner === node;
    if (session.owner !== null && !isOwn && session.ownerUntilMs >= nowMs) return null;
    if (!isOwn) session.fence++;
    if (!isOwn && session.owner !== null) session.crashes++;
    Object.assign(session, { owner: node, ownerUntilMs: untilMs });
    return { fence: session.fence, crashes: session.crashes };
  }

  release(id: string, node: string, nowMs: number): void {
    const session = this.sessions.get(id);
    if (session?.owner !== node || !isRunning(session.state)) return;
    Object.assign(session, { owner: null, ownerUntilMs: Math.min(session.ownerUntilMs, nowMs) });
  }

  /** The process of a node that is alone has died, and begins anew. */
  restart(nowMs: number): void {
    for (const session of this.sessions.values()) {
      if (session.delivery) session.delivery.leaseUntilMs = 0;
      if (!isRunning(session.state)) continue;
      if (session.owner !== null) session.crashes++;
      Object.assign(session, { owner: null, ownerUntilMs: Math.min(session.ownerUntilMs, nowMs) });
    }
  }

  abandoned(nowMs: number): string[] {
    return [...this.sessions.values()]
      .filter(({ state, ownerUntilMs }) => isRunning(state) && ownerUntilMs < nowMs)
      .map(({ id }) => id);
  }

  /** Gives the seq of the first. */
  append(id: string, drafts: readonly Said[], turn: Turn | null, atMs: number): Outcome<number> {
    const session = this.sessions.get(id);
    if (!session) return { code: 'not_found' };
    const { events, fence } = session;
    const hasTurn = !turn || (turn.fence === fence && turn.afterSeq === events.length);
    const { state, isAllowed } = walk(session.state, drafts);
    if (hasTurn && isAllowed) {
      const first = events.push(...drafts) - drafts.length + 1;
      this.#move(session, drafts, atMs);
      return { ok: first };
    }
    if (turn && drafts.every((draft, at) => isSame(events[turn.afterSeq + at], draft)))
      return { ok: turn.afterSeq + 1 };
    if (!hasTurn) return { code: 'claim_lost' };
    return { code: isRunning(state) ? 'conflict' : 'session_ended' };
  }

  replay(id: string, drafts: readonly Said[], turn: Turn, atMs: number): Outcome<null> {
    const stored = this.sessions.get(id)?.events.slice(turn.afterSeq, turn.afterSeq + drafts.length) ?? [];
    if (!stored.every((event, at) => isSame(event, drafts[at]!))) return { code: 'claim_lost' };
    const rest = drafts.slice(stored.length);
    if (rest.length === 0) return { ok: null };
    const appended = this.append(id, rest, { ...turn, afterSeq: turn.afterSeq + stored.length }, atMs);
    return 'code' in appended ? appended : { ok: null };
  }

  /** Ids of those that are held now. */
  take(nowMs: number, leaseMs: number, perEndpoint: number, busy: readonly string[]): string[] {
    const due = this.#withDelivery()
      .filter(({ url, delivery: { state, nextMs, leaseUntilMs } }) => {
        return state === 'pending' && nextMs! <= nowMs && leaseUntilMs <= nowMs && !busy.includes(url!);
      })
      .sort((a, b) => a.delivery.nextMs! - b.delivery.nextMs! || (a.id < b.id ? -1 : 1));
    const taken: string[] = [];
    const places = new Map<string, number>();
    for (const { id, url, delivery } of due) {
      if (this.endpoints.get(url!)?.isDisabled) {
        Object.assign(delivery, { state: 'failed', nextMs: null });
        continue;
      }
      const place = (places.get(url!) ?? 0) + 1;
      places.set(url!, place);
      if (place > perEndpoint) continue;
      Object.assign(delivery, { lease: delivery.lease + 1, leaseUntilMs: nowMs + leaseMs });
      taken.push(id);
    }
    return taken;
  }

  /** Null where the lease was lost; otherwise how many attempts there were. */
  record(id: string, lease: number, verdict: Verdict, disableAfterMs: number, nowMs: number): number | null {
    const session = this.sessions.get(id);
    const { delivery, url } = session ?? { delivery: null, url: null };
    if (!session || !delivery || delivery.lease !== lease || delivery.state !== 'pending') return null;
    delivery.attempts++;
    delivery.roundAttempts++;
    delivery.leaseUntilMs = 0;
    delivery.nextMs = verdict.kind === 'retry' ? verdict.atMs : null;
    if (verdict.kind === 'sent') {
      delivery.state = 'sent';
      this.endpoints.delete(url!);
      session.events.push({ type: 'session.sent', body: JSON.stringify({ attempts: delivery.attempts }) });
      this.#change(session, 'SENT');
      return delivery.attempts;
    }
    if (verdict.kind !== 'retry') delivery.state = 'failed';
    const failing = this.endpoints.get(url!) ?? { sinceMs: nowMs, isDisabled: false };
    if (verdict.kind === 'disable' || failing.sinceMs <= nowMs - disableAfterMs) failing.isDisabled = true;
    this.endpoints.set(url!, failing);
    return delivery.attempts;
  }

  giveBack(id: string, lease: number): void {
    const delivery = this.sessions.get(id)?.delivery;
    if (delivery?.lease === lease) delivery.leaseUntilMs = 0;
  }

  /** How many are to be delivered again. */
  redeliver(
    isMeant: (session: ModelSession & { delivery: ModelDelivery }) => boolean,
    nowMs: number,
  ): number {
    const meant = this.#withDelivery().filter(isMeant);
    for (const session of meant) {
      const { delivery, events } = session;
      const lease = delivery.lease + 1;
      Object.assign(delivery, { state: 'pending', roundAttempts: 0, nextMs: nowMs, lease, leaseUntilMs: 0 });
      this.endpoints.delete(session.url!);
      const isFailed = events.some(({ type }) => type === 'session.failed');
      this.#change(session, isFailed ? 'FAILED' : 'DONE');
    }
    return meant.length;
  }

  #withDelivery() {
    return [...this.sessions.values()].filter(
      (session): session is ModelSession & { delivery: ModelDelivery } => session.delivery !== null,
    );
  }

  #move(session: ModelSession, drafts: readonly Said[], atMs: number): void {
    const { state } = walk(session.state, drafts);
    this.#change(session, state);
    if (isRunning(state)) return;
    session.endedMs = atMs;
    if (session.url === null) return;
    const counts = { attempts: 0, roundAttempts: 0, lease: 0, leaseUntilMs: 0 };
    session.delivery = { state: 'pending', nextMs: atMs, body: null, ...counts };
  }

  #change(session: ModelSession, state: string): void {
    if (state !== session.state) session.changes.push(`${session.state} ${state}`);
    session.state = state;
  }
}

/** What follows an attempt; times in epoch ms. */
export type Verdict =
  | { readonly kind: 'sent' | 'disable' | 'given_up' }
  | { readonly kind: 'retry'; readonly atMs: number };
