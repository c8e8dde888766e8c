import { expect, it } from 'vitest';
import { create, done, type Fixture, final, newSession, started, unused } from './fixture.ts';

/** What is sent twice and must be there once: requests, events, pieces of uploads. */
export function onceSuite(fixture: () => Fixture): void {
  it('makes one session of a hundred requests with one key', async () => {
    const { store } = fixture();
    const [tenantId, key] = [unused('tenant'), unused('key')];
    const asked = Array.from({ length: 100 }, () =>
      store.sessions.createOnce(newSession({ tenantId }), { key, fingerprint: 'a' }),
    );
    const made = await Promise.all(asked);
    expect(new Set(made.map(({ record }) => record.id)).size).toBe(1);
    expect(made.filter(({ isNew }) => isNew)).toHaveLength(1);
    const { items } = await store.sessions.list(tenantId, { state: null, cursor: null, limit: 100 });
    expect(items).toHaveLength(1);
  });

  it('refuses a key that was used for something else, and knows no other tenant’s', async () => {
    const { store } = fixture();
    const [tenantId, key] = [unused('tenant'), unused('key')];
    await store.sessions.createOnce(newSession({ tenantId }), { key, fingerprint: 'a' });
    const other = store.sessions.createOnce(newSession({ tenantId }), { key, fingerprint: 'b' });
    await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });
    const foreign = await store.sessions.createOnce(newSession(), { key, fingerprint: 'b' });
    expect(foreign.isNew).toBe(true);
  });

  it('frees a key with its session', async () => {
    const { store } = fixture();
    const [tenantId, key] = [unused('tenant'), unused('key')];
    const { record } = await store.sessions.createOnce(newSession({ tenantId }), { key, fingerprint: 'a' });
    await store.sessions.delete(record.id, tenantId);
    const again = await store.sessions.createOnce(newSession({ tenantId }), { key, fingerprint: 'b' });
    expect(again.isNew).toBe(true);
  });

  it('stores events once where the answer to the first try got lost', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const { fence } = (await store.sessions.claim(id, 'one', clock.now() + 1000))!;
    const drafts = [started, final(0)];
    const first = await store.log.append(id, drafts, { fence, afterSeq: 0 });
    expect(await store.log.append(id, drafts, { fence, afterSeq: 0 })).toEqual(first);
    const ending = await store.log.append(id, [done()], { fence, afterSeq: 2 });
    expect(await store.log.append(id, [done()], { fence, afterSeq: 2 })).toEqual(ending);
    expect(await store.log.read(id, 0, 10)).toEqual([...first, ...ending]);
  });

  it('tells a writer that does not know what was written', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const { fence } = (await store.sessions.claim(id, 'one', clock.now() + 1000))!;
    await store.log.append(id, [started, final(0)], { fence, afterSeq: 0 });
    for (const afterSeq of [0, 1, 3])
      await expect(store.log.append(id, [final(1000)], { fence, afterSeq })).rejects.toMatchObject({
        code: 'claim_lost',
      });
  });

  it('replays what got its seqs elsewhere, passing over what is there', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const { fence } = (await store.sessions.claim(id, 'one', clock.now() + 1000))!;
    const at = '2026-01-02T03:04:05.678Z';
    const [first] = await store.log.append(id, [started], { fence, afterSeq: 0 });
    const spooled = [final(0), final(1000), done()].map((draft, index) => {
      const seq = 2 + index;
      const receipt = 'receipt' in draft ? { receipt: { ...draft.receipt, lastSeq: seq } } : {};
      return { ...draft, ...receipt, sessionId: id, seq, at } as typeof first & object;
    });
    await store.log.replay(id, spooled.slice(0, 1), fence);
    await store.log.replay(id, spooled, fence);
    await store.log.replay(id, spooled, fence);
    expect(await store.log.read(id, 0, 10)).toEqual([first, ...spooled]);
    expect(await store.sessions.find(id, null)).toMatchObject({ state: 'DONE', finishedAt: at, lastSeq: 4 });
  });

  it('replays nothing over what another node has written', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const one = (await store.sessions.claim(id, 'one', clock.now() + 100))!;
    const [first] = await store.log.append(id, [started], { fence: one.fence, afterSeq: 0 });
    await clock.advance(101);
    const two = (await store.sessions.claim(id, 'two', clock.now() + 100))!;
    const late = { ...final(0), sessionId: id, seq: 2, at: first!.at } as typeof first & object;
    await expect(store.log.replay(id, [late], one.fence)).rejects.toMatchObject({ code: 'claim_lost' });
    await store.log.append(id, [final(500)], { fence: two.fence, afterSeq: 1 });
    await expect(store.log.replay(id, [late], two.fence)).rejects.toMatchObject({ code: 'claim_lost' });
    expect(await store.log.read(id, 1, 10)).toMatchObject([{ utteranceId: 'utt_500' }]);
  });

  it('keeps uploads in pieces until nobody needs them', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store, { source: 'recording' });
    const pieces = [Uint8Array.of(1, 2, 0), Uint8Array.of(255)];
    for (const [n, piece] of pieces.entries()) await store.uploads.put(id, n, piece);
    await store.uploads.put('ses_nobody', 0, Uint8Array.of(7));
    for (const n of [0, 1]) expect([...(await store.uploads.get(id, n))!]).toEqual([...pieces[n]!]);
    expect(await store.uploads.get(id, 2)).toBeNull();
    expect(await store.uploads.removeOrphans(clock.now())).toBe(0);
    await clock.advance(1);
    expect(await store.uploads.removeOrphans(clock.now())).toBe(1);
    expect(await store.uploads.get(id, 0)).not.toBeNull();
    await store.uploads.remove(id);
    expect(await store.uploads.get(id, 0)).toBeNull();
  });
}
