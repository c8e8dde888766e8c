/** A store and its model, to which the same is done: where they disagree, it throws. */
import { expect } from 'vitest';
import { DEFAULT_OPTIONS } from '../../../src/domain/options.ts';
import type { DueDelivery, Store } from '../../../src/store/store.ts';
import type { FakeClock } from '../../support/fake-clock.ts';
import { type Action, HOOKS, NODES, SLOTS, type VerdictKind } from './actions.ts';
import { Model, type Verdict } from './model.ts';
import { outcomeOf, TwinLog } from './twin-log.ts';

const LEASE_MS = 1000;
const RETRY_MS = 5000;
const DISABLE_AFTER_MS = 5 * 86_400_000;
const STATUS = { sent: 204, retry: 500, disable: 410, given_up: 500 } as const;
const STRANGER = 'a stranger';

export class Twin {
  readonly model = new Model();
  readonly tenantId: string;
  readonly #store: Store;
  readonly #clock: FakeClock;
  readonly #log: TwinLog;
  readonly #ids: (string | null)[] = Array(SLOTS).fill(null);
  readonly #dues: DueDelivery[] = [];
  #made = 0;

  /** @param tenantId Used nowhere else. */
  constructor(store: Store, clock: FakeClock, tenantId: string) {
    this.#store = store;
    this.#clock = clock;
    this.tenantId = tenantId;
    this.#log = new TwinLog(store.log, this.model, clock);
  }

  /** Does it to both, and says in a word what came of it. */
  async step(action: Action): Promise<string> {
    const { sessions } = this.#store;
    const nowMs = this.#clock.now();
    switch (action.kind) {
      case 'create':
        return await this.#create(action.slot, HOOKS[action.hook]!);
      case 'claim':
        return await this.#claim(this.#id(action.slot), NODES[action.node]!, nowMs + action.forMs);
      case 'release':
        await sessions.release(this.#id(action.slot), NODES[action.node]!);
        this.model.release(this.#id(action.slot), NODES[action.node]!, nowMs);
        return 'done';
      case 'pass':
        await this.#clock.advance(action.ms);
        return 'done';
      case 'restart':
        await Promise.all([sessions.releaseAll(), this.#store.deliveries.releaseAll()]);
        this.model.restart(nowMs);
        this.#log.forget();
        return 'done';
      case 'append':
      case 'replay':
        return await this.#log[action.kind](
          this.#id(action.slot),
          NODES[action.node]!,
          action.what,
          action.skew,
        );
      case 'repeat':
        return await this.#log.repeat(this.#id(action.slot), NODES[action.node]!);
      case 'take':
        return await this.#take(action.perEndpoint, action.isBusy ? [HOOKS[0]] : []);
      case 'keepBody':
        return await this.#keepBody(this.#id(action.slot));
      case 'record':
        return await this.#record(this.#dues.at(-1 - action.due), action.verdict);
      case 'giveBack':
        return await this.#giveBack(this.#dues.at(-1 - action.due));
      case 'redeliver':
        return await this.#redeliver(this.#id(action.slot), action.isStranger ? STRANGER : this.tenantId);
      case 'redeliverFailed':
        return await this.#redeliverFailed(nowMs - action.sinceMs);
      case 'abandoned': {
        const found = (await sessions.abandoned('recording', nowMs)).map(({ id }) => id);
        expect(found.sort()).toEqual(this.model.abandoned(nowMs).sort());
        return found.length > 0 ? 'some' : 'none';
      }
      case 'delete':
        return await this.#delete(this.#id(action.slot), action.isStranger ? STRANGER : this.tenantId);
    }
  }

  /** Of the session in a slot, which may be gone; a name of none where there never was one. */
  #id(slot: number): string {
    return this.#ids[slot] ?? `${this.tenantId}_none`;
  }

  async #create(slot: number, url: string | null): Promise<string> {
    if (this.model.sessions.has(this.#id(slot))) return 'there already';
    const { tenantId } = this;
    const id = `${tenantId}_${String(++this.#made).padStart(3, '0')}`;
    this.#ids[slot] = id;
    const options = { ...DEFAULT_OPTIONS, webhook: url === null ? null : { url } };
    const session = { id, tenantId, source: 'recording', options, model: 'm', durationMs: null } as const;
    await this.#store.sessions.create(session);
    this.model.create(id, url, this.#clock.now());
    return 'made';
  }

  async #claim(id: string, node: string, untilMs: number): Promise<string> {
    const claim = await this.#store.sessions.claim(id, node, untilMs);
    expect(claim).toEqual(this.model.claim(id, node, untilMs, this.#clock.now()));
    if (!claim) return 'refused';
    this.#log.learn(id, node, claim.fence);
    return claim.crashes > 0 ? 'after a crash' : 'given';
  }

  async #take(perEndpoint: number, busy: readonly string[]): Promise<string> {
    const nowMs = this.#clock.now();
    const limits = { count: 1000, perEndpoint, busy };
    const taken = await this.#store.deliveries.takeDue(nowMs, LEASE_MS, limits);
    const expected = this.model.take(nowMs, LEASE_MS, perEndpoint, busy);
    // They come in any order; what follows is to be the same for one seed.
    const inOrder = [...taken].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
    expect(inOrder.map(({ sessionId }) => sessionId)).toEqual(expected.sort());
    for (const due of inOrder) {
      const { roundAttempts, lease, body } = this.model.sessions.get(due.sessionId)!.delivery!;
      expect(due).toMatchObject({ roundAttempts, lease, body });
    }
    this.#dues.push(...inOrder);
    return taken.length > 0 ? 'some' : 'none';
  }

  async #keepBody(id: string): Promise<string> {
    const body = `body ${++this.#made}`;
    const delivery = this.model.sessions.get(id)?.delivery;
    if (delivery) delivery.body ??= body;
    const expected = delivery ? { ok: delivery.body } : { code: 'not_found' };
    expect(await outcomeOf(this.#store.deliveries.keepBody(id, body))).toEqual(expected);
    return delivery ? 'kept' : 'refused';
  }

  async #record(due: DueDelivery | undefined, kind: VerdictKind): Promise<string> {
    if (!due) return 'nothing';
    const nowMs = this.#clock.now();
    const verdict: Verdict = kind === 'retry' ? { kind, atMs: nowMs + RETRY_MS } : { kind };
    const attempt = { status: STATUS[kind], durationMs: 1, error: null, response: '' };
    const recorded = await this.#store.deliveries.record(due, attempt, verdict, DISABLE_AFTER_MS);
    const { sessionId, lease } = due;
    const attempts = this.model.record(sessionId, lease, verdict, DISABLE_AFTER_MS, nowMs);
    const seq = this.model.sessions.get(sessionId)?.events.length;
    const sent = expect.objectContaining({ type: 'session.sent', sessionId, seq, attempts });
    expect(recorded).toEqual(attempts === null ? null : { events: kind === 'sent' ? [sent] : [] });
    return attempts === null ? 'lease lost' : kind;
  }

  async #giveBack(due: DueDelivery | undefined): Promise<string> {
    if (!due) return 'nothing';
    await this.#store.deliveries.giveBack(due);
    this.model.giveBack(due.sessionId, due.lease);
    return 'done';
  }

  async #redeliver(id: string, tenantId: string): Promise<string> {
    const wasSent = this.model.sessions.get(id)?.state === 'SENT';
    const isTheirs = tenantId === this.tenantId;
    const count = this.model.redeliver((session) => session.id === id && isTheirs, this.#clock.now());
    const expected = count === 1 ? { ok: undefined } : { code: 'not_redeliverable' };
    expect(await outcomeOf(this.#store.deliveries.redeliver(id, tenantId))).toEqual(expected);
    return count === 0 ? 'refused' : wasSent ? 'after SENT' : 'before SENT';
  }

  async #redeliverFailed(sinceMs: number): Promise<string> {
    const count = this.model.redeliver(
      ({ delivery, endedMs }) => delivery.state === 'failed' && endedMs >= sinceMs,
      this.#clock.now(),
    );
    expect(await this.#store.deliveries.redeliverFailed(this.tenantId, sinceMs)).toBe(count);
    return count > 0 ? 'some' : 'none';
  }

  async #delete(id: string, tenantId: string): Promise<string> {
    const isThere = tenantId === this.tenantId && this.model.sessions.delete(id);
    expect(await this.#store.sessions.delete(id, tenantId)).toBe(isThere);
    return isThere ? 'done' : 'refused';
  }
}
