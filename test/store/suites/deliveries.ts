import { expect, it } from 'vitest';
import type { Attempt } from '../../../src/domain/delivery.ts';
import { DEFAULT_OPTIONS } from '../../../src/domain/options.ts';
import type { SessionRecord } from '../../../src/domain/session.ts';
import type { DueDelivery, Verdict } from '../../../src/store/store.ts';
import { create, done, type Fixture, failed, started, unused } from './fixture.ts';

const LEASE_MS = 1000;
const DISABLE_AFTER_MS = 5 * 86_400_000;
const taken: Attempt = { status: 200, durationMs: 12, error: null, response: 'ok' };
const refused: Attempt = { status: 500, durationMs: 3, error: null, response: 'no' };

export function deliveriesSuite(fixture: () => Fixture): void {
  const ended = async (options: { url?: string; tenantId?: string; ending?: 'failed' } = {}) => {
    const { store } = fixture();
    const url = options.url ?? `https://${unused('host')}.example/hook`;
    const tenantId = options.tenantId ?? unused('tenant');
    const record = await create(store, { tenantId, options: { ...DEFAULT_OPTIONS, webhook: { url } } });
    await store.log.append(record.id, [started, options.ending ? failed() : done()]);
    return { ...record, url };
  };
  const take = async (limits: { perEndpoint?: number; busy?: string[] } = {}): Promise<DueDelivery[]> => {
    const { store, clock } = fixture();
    const asked = { count: 1000, perEndpoint: 1000, busy: [], ...limits };
    return await store.deliveries.takeDue(clock.now(), LEASE_MS, asked);
  };
  const takeOf = async ({ id }: SessionRecord): Promise<DueDelivery | undefined> =>
    (await take()).find(({ sessionId }) => sessionId === id);
  const record = (due: DueDelivery, attempt: Attempt, verdict: Verdict) =>
    fixture().store.deliveries.record(due, attempt, verdict, DISABLE_AFTER_MS);
  const viewOf = async ({ id, tenantId }: SessionRecord) => {
    const found = await fixture().store.sessions.read(id, tenantId);
    return { state: found!.record.state, delivery: found!.delivery };
  };

  it('are there with the end of a session that has a webhook, and only then', async () => {
    const { store } = fixture();
    const webhook = { url: 'https://one.example/' };
    const running = await create(store, { options: { ...DEFAULT_OPTIONS, webhook } });
    await store.log.append(running.id, [started]);
    const without = await create(store);
    await store.log.append(without.id, [started, done()]);
    const with_ = await ended();
    const due = (await take()).map(({ sessionId }) => sessionId);
    expect(due).toContain(with_.id);
    expect(due).not.toContain(running.id);
    expect(due).not.toContain(without.id);
  });

  it('are held by one node at a time, and free again when it is gone', async () => {
    const { clock } = fixture();
    const session = await ended();
    const all = await Promise.all(Array.from({ length: 10 }, () => takeOf(session)));
    expect(all.filter(Boolean)).toHaveLength(1);
    await clock.advance(LEASE_MS);
    const second = await takeOf(session);
    expect(second!.lease).toBe(2);
    expect(await record(all.find(Boolean)!, taken, { kind: 'sent' })).toBeNull();
    expect((await viewOf(session)).delivery).toMatchObject({ state: 'pending', attempts: 0 });
    expect(await record(second!, taken, { kind: 'sent' })).not.toBeNull();
  });

  it('move their session to SENT, with an event of its own', async () => {
    const { store } = fixture();
    const session = await ended();
    const stored = await record((await takeOf(session))!, taken, { kind: 'sent' });
    expect(stored!.events).toMatchObject([{ type: 'session.sent', seq: 3, attempts: 1 }]);
    expect(await store.log.read(session.id, 2, 10)).toEqual(stored!.events);
    expect(await viewOf(session)).toMatchObject({
      state: 'SENT',
      delivery: { state: 'sent', attempts: 1, lastStatus: 200, nextAttemptAt: null },
    });
    expect(await takeOf(session)).toBeUndefined();
  });

  it('are tried again when it is time, with what was sent first', async () => {
    const { store, clock } = fixture();
    const session = await ended();
    const first = (await takeOf(session))!;
    expect(first.body).toBeNull();
    expect(await store.deliveries.keepBody(session.id, 'first')).toBe('first');
    expect(await store.deliveries.keepBody(session.id, 'second')).toBe('first');
    const atMs = clock.now() + 5000;
    await record(first, refused, { kind: 'retry', atMs });
    expect((await viewOf(session)).delivery).toMatchObject({
      state: 'pending',
      attempts: 1,
      lastStatus: 500,
      nextAttemptAt: new Date(atMs).toISOString(),
    });
    await clock.advance(4999);
    expect(await takeOf(session)).toBeUndefined();
    await clock.advance(1);
    expect(await takeOf(session)).toMatchObject({ body: 'first', roundAttempts: 1, lease: 2 });
  });

  it('tell what came of each attempt', async () => {
    const { store, clock } = fixture();
    const session = await ended();
    await record(
      (await takeOf(session))!,
      { ...refused, response: 'a\0b' },
      { kind: 'retry', atMs: clock.now() },
    );
    await record(
      (await takeOf(session))!,
      { ...refused, status: null, error: 'timeout' },
      { kind: 'given_up' },
    );
    expect(await store.deliveries.attempts(session.id)).toMatchObject([
      { attempt: 1, status: 500, error: null, response: 'ab', durationMs: 3 },
      { attempt: 2, status: null, error: 'timeout' },
    ]);
    expect(await viewOf(session)).toMatchObject({
      state: 'DONE',
      delivery: { state: 'failed', attempts: 2 },
    });
  });

  it('leave room beside a receiver that is slow', async () => {
    const url = `https://${unused('slow')}.example/`;
    for (let count = 0; count < 5; count++) await ended({ url });
    const other = await ended();
    const due = await take({ perEndpoint: 2 });
    expect(due.filter((delivery) => delivery.url === url)).toHaveLength(2);
    expect(due.map(({ sessionId }) => sessionId)).toContain(other.id);
    expect((await take({ busy: [url] })).filter((delivery) => delivery.url === url)).toEqual([]);
  });

  it('go out again when that is asked for, as further attempts', async () => {
    const { store } = fixture();
    for (const ending of [undefined, 'failed'] as const) {
      const session = await ended(ending ? { ending } : {});
      await record((await takeOf(session))!, taken, { kind: 'sent' });
      await store.deliveries.redeliver(session.id, session.tenantId);
      expect((await viewOf(session)).state).toBe(ending ? 'FAILED' : 'DONE');
      const again = (await takeOf(session))!;
      expect(again.roundAttempts).toBe(0);
      const stored = await record(again, taken, { kind: 'sent' });
      expect(stored!.events).toMatchObject([{ type: 'session.sent', seq: 4, attempts: 2 }]);
    }
  });

  it('cannot be asked for where there is nothing to deliver, nor by others', async () => {
    const { store } = fixture();
    const session = await ended();
    const other = await create(store);
    for (const [id, tenantId] of [
      [session.id, 'another tenant'],
      [other.id, other.tenantId],
    ] as const)
      await expect(store.deliveries.redeliver(id, tenantId)).rejects.toMatchObject({
        code: 'not_redeliverable',
      });
  });

  it('of a receiver that failed for days, or wants no more, are given up until they are asked for', async () => {
    const { store, clock } = fixture();
    const tenantId = unused('tenant');
    const retry = (): Verdict => ({ kind: 'retry', atMs: clock.now() });
    const url = `https://${unused('broken')}.example/`;
    const early = await ended({ url, tenantId });
    await record((await takeOf(early))!, refused, retry());
    await clock.advance(DISABLE_AFTER_MS);
    await record((await takeOf(early))!, refused, retry());
    const gone = await ended({ tenantId });
    await record((await takeOf(gone))!, { ...refused, status: 410 }, { kind: 'disable' });
    const sinceMs = clock.now();
    const late = await ended({ url, tenantId });
    const elsewhere = await ended({ url });
    expect((await take()).map(({ sessionId }) => sessionId)).toEqual([elsewhere.id]);
    for (const session of [early, gone, late])
      expect((await viewOf(session)).delivery).toMatchObject({ state: 'failed', nextAttemptAt: null });

    expect(await store.deliveries.redeliverFailed(tenantId, sinceMs)).toBe(2);
    const due = (await take()).map(({ sessionId }) => sessionId);
    expect(due.sort()).toEqual([gone.id, late.id].sort());
  });

  it('can be given back untried', async () => {
    const { store } = fixture();
    const session = await ended();
    await store.deliveries.giveBack((await takeOf(session))!);
    expect(await takeOf(session)).toMatchObject({ roundAttempts: 0 });
    await store.deliveries.releaseAll();
    expect(await takeOf(session)).toBeDefined();
  });

  it('go with their session', async () => {
    const { store, clock } = fixture();
    const session = await ended();
    const due = (await takeOf(session))!;
    await store.sessions.delete(session.id, session.tenantId);
    expect(await record(due, taken, { kind: 'sent' })).toBeNull();
    await clock.advance(LEASE_MS);
    expect(await takeOf(session)).toBeUndefined();
  });

  it('know since when a secret signs', async () => {
    const { store, clock } = fixture();
    const secret = unused('secret');
    const sinceMs = clock.now();
    expect(await store.deliveries.secretSince(secret)).toBe(sinceMs);
    await clock.advance(1000);
    expect(await store.deliveries.secretSince(secret)).toBe(sinceMs);
  });
}
