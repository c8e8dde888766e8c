/**
 * Delivery by webhook: works the outbox off. The outbox itself is the queue, since a delivery has to be queued by the very
 * transaction that ends its session; nodes take what is due from it, a few of each receiver at a time, so that
 * one that hangs keeps nobody waiting.
 */
import type { Attempt } from '../domain/delivery.ts';
import type { DurableEvent } from '../domain/event.ts';
import type { WebhookOptions } from '../domain/options.ts';
import { type Session, sessionView } from '../domain/session.ts';
import type { Random } from '../flow/chance.ts';
import { type Clock, waitAtMost } from '../flow/clock.ts';
import type { DueDelivery, Store, Verdict } from '../store/store.ts';
import { DISABLE_AFTER_MS, nextAttempt } from '../webhooks/schedule.ts';

/** How often the outbox is looked into where nothing wakes it up: other nodes end sessions too. */
const LOOK_EVERY_MS = 1_000;
/** Attempts under way on this node. */
const AT_ONCE = 64;
/** Of those, to one receiver. */
const PER_ENDPOINT = 4;
/** Longer than an attempt may take, store included: then its node is gone, and another may try. */
const LEASE_MS = 45_000;
/** What an attempt may still take when the node goes down. */
const GRACE_MS = 5_000;

type Vendor = NonNullable<WebhookOptions['vendor']>;

export interface DeliveryParts {
  readonly store: Pick<Store, 'deliveries' | 'sessions'>;
  /** What is sent in the shape of another vendor, by its name. */
  readonly vendors: Readonly<Record<Vendor['name'], (session: Session, asked: unknown) => object>>;
  readonly clock: Clock;
  readonly random: Random;
  /** Makes one attempt; never rejects. */
  readonly send: (
    request: { readonly id: string; readonly url: string; readonly body: string },
    signal: AbortSignal,
  ) => Promise<Attempt & { readonly retryAfterMs: number | null }>;
  /** Told what was stored in a session's log. */
  readonly onStored: (tenantId: string, event: DurableEvent) => void;
  readonly onError: (error: unknown) => void;
}

export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #stop = new AbortController();
  readonly #cancel = new AbortController();
  readonly #underWay = new Map<Promise<void>, string>();
  #wake = () => {};
  readonly #looking: Promise<void>;

  /** Begins at once. */
  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#looking = this.#look();
  }

  /** Attempts under way. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Something may be due. */
  wake(): void {
    this.#wake();
  }

  /** Takes no more, and waits for what is under way; what is not done in time is broken off, for another node to make. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
    const cancel = this.#parts.clock.after(GRACE_MS, () => this.#cancel.abort());
    await Promise.all(this.#underWay.keys());
    cancel();
  }

  async #look(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      try {
        // As long as there is more than is taken at a time, without a pause.
        if ((await this.#take()) > 0) continue;
      } catch (error) {
        this.#parts.onError(error);
      }
      await waitAtMost(this.#parts.clock, LOOK_EVERY_MS, woken, this.#stop.signal);
    }
  }

  async #take(): Promise<number> {
    const { store, clock } = this.#parts;
    const count = AT_ONCE - this.#underWay.size;
    if (count === 0) return 0;
    const limits = { count, perEndpoint: PER_ENDPOINT, busy: this.#busy() };
    const due = await store.deliveries.takeDue(clock.now(), LEASE_MS, limits);
    for (const delivery of due) {
      const attempt = this.#attempt(delivery)
        .catch(this.#parts.onError)
        .finally(() => {
          this.#underWay.delete(attempt);
          this.#wake();
        });
      this.#underWay.set(attempt, delivery.url);
    }
    return due.length;
  }

  /** Receivers to which as much as may be is under way. */
  #busy(): string[] {
    const counts = new Map<string, number>();
    for (const url of this.#underWay.values()) counts.set(url, (counts.get(url) ?? 0) + 1);
    return [...counts].flatMap(([url, count]) => (count >= PER_ENDPOINT ? [url] : []));
  }

  async #attempt(due: DueDelivery): Promise<void> {
    const { store, clock, random, send, onStored } = this.#parts;
    const body = due.body ?? (await this.#bodyOf(due));
    if (body === null) return await store.deliveries.giveBack(due);
    const id = webhookIdOf(due.sessionId);
    const { retryAfterMs, ...attempt } = await send({ id, url: due.url, body }, this.#cancel.signal);
    if (this.#cancel.signal.aborted && attempt.status === null) return await store.deliveries.giveBack(due);
    const next = nextAttempt(due.roundAttempts + 1, { status: attempt.status, retryAfterMs }, random);
    const verdict: Verdict =
      next.kind === 'retry' ? { kind: 'retry', atMs: clock.now() + next.delayMs } : next;
    const stored = await store.deliveries.record(due, attempt, verdict, DISABLE_AFTER_MS);
    for (const event of stored?.events ?? []) onStored(due.tenantId, event);
  }

  /** Made once, so that every attempt sends the same to the byte. */
  async #bodyOf({ sessionId, tenantId }: DueDelivery): Promise<string | null> {
    const { sessions, deliveries } = this.#parts.store;
    const found = await sessions.read(sessionId, tenantId);
    if (!found) return null;
    const view = sessionView(found.record, found.events);
    const vendor = found.record.options.webhook?.vendor;
    const body = vendor ? JSON.stringify(this.#parts.vendors[vendor.name](view, vendor.asked)) : bodyOf(view);
    return await deliveries.keepBody(sessionId, body);
  }
}

/** Stays the same over all attempts: receivers tell by it what they have had. */
const webhookIdOf = (sessionId: string): string => `msg_${sessionId.replace(/^ses_/, '')}`;

/** Standard Webhooks: `type`, `timestamp`, `data`. */
function bodyOf(session: Session): string {
  const type = session.error ? 'session.failed' : 'session.done';
  return JSON.stringify({ type, timestamp: session.finishedAt, data: session });
}
