import { expect, it } from 'vitest';
import { create, done, type Fixture, started } from './fixture.ts';

export function claimsSuite(fixture: () => Fixture): void {
  const abandoned = async (source: 'live' | 'recording' = 'live') => {
    const { store, clock } = fixture();
    return (await store.sessions.abandoned(source, clock.now())).map(({ id }) => id);
  };

  it('gives a session to one node until its claim runs out', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    expect(await store.sessions.claim(id, 'one', clock.now() + 100)).not.toBeNull();
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).toBeNull();
    expect(await store.sessions.claim(id, 'one', clock.now() + 200)).not.toBeNull();
    await clock.advance(150);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).toBeNull();
    await clock.advance(51);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).not.toBeNull();
  });

  it('gives a session to exactly one of many nodes that ask at once', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const nodes = Array.from({ length: 20 }, (_, index) => `node ${index}`);
    const claims = nodes.map((node) => store.sessions.claim(id, node, clock.now() + 1000));
    expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
  });

  it('frees a session when its node lets go', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    await store.sessions.claim(id, 'one', clock.now() + 1000);
    await store.sessions.release(id, 'two');
    await clock.advance(1);
    expect(await abandoned()).not.toContain(id);
    await store.sessions.release(id, 'one');
    await clock.advance(1);
    expect(await abandoned()).toContain(id);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).not.toBeNull();
  });

  it('finds sessions whose claim ran out, of the source asked for', async () => {
    const { store, clock } = fixture();
    const live = await create(store);
    const recording = await create(store, { source: 'recording' });
    for (const { id } of [live, recording]) await store.sessions.claim(id, 'one', clock.now() + 100);
    await clock.advance(50);
    expect(await abandoned()).not.toContain(live.id);
    await clock.advance(51);
    expect(await abandoned()).toContain(live.id);
    expect(await abandoned()).not.toContain(recording.id);
    expect(await abandoned('recording')).toContain(recording.id);
  });

  it('finds a session whose node died before it could claim it', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    await clock.advance(1);
    expect(await abandoned()).toContain(id);
  });

  it('takes back the claims of all nodes at once', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    await store.sessions.claim(id, 'one', clock.now() + 1000);
    await store.sessions.releaseAll();
    await clock.advance(1);
    expect(await abandoned()).toContain(id);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).not.toBeNull();
  });

  it('keeps a live session for the holder of its token until something was sent to it', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    await store.tokens.save(`hash of ${id}`, id, clock.now() + 1000);
    await clock.advance(500);
    expect(await abandoned()).not.toContain(id);
    await clock.advance(501);
    expect(await abandoned()).toContain(id);

    const begun = await create(store);
    await store.tokens.save(`hash of ${begun.id}`, begun.id, clock.now() + 1000);
    await store.log.append(begun.id, [started]);
    await clock.advance(1);
    expect(await abandoned()).toContain(begun.id);
  });

  it('leaves sessions that have ended to nobody', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    await store.log.append(id, [started, done()]);
    await clock.advance(1);
    expect(await abandoned()).not.toContain(id);
    expect(await store.sessions.claim(id, 'one', clock.now() + 100)).toBeNull();
  });

  it('raises the fence whenever a session changes hands, and only then', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const fences: (number | undefined)[] = [];
    const claim = async (node: string) =>
      fences.push((await store.sessions.claim(id, node, clock.now() + 100))?.fence);
    await claim('one');
    await claim('one');
    await clock.advance(101);
    await claim('two');
    await clock.advance(101);
    await claim('one');
    await store.sessions.release(id, 'one');
    await claim('one');
    expect(fences).toEqual([1, 1, 2, 3, 4]);
  });

  it('counts the processes that died over a session, and none that let go of it', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const crashes = async (node: string) =>
      (await store.sessions.claim(id, node, clock.now() + 100))?.crashes;
    expect(await crashes('one')).toBe(0);
    await store.sessions.release(id, 'one');
    expect(await crashes('two')).toBe(0);
    await clock.advance(101);
    expect(await crashes('three')).toBe(1);
    expect(await crashes('three')).toBe(1);
    await store.sessions.releaseAll();
    expect(await crashes('four')).toBe(2);
  });

  it('lets a node that was overtaken write nothing more', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const first = await store.sessions.claim(id, 'one', clock.now() + 100);
    await store.log.append(id, [started], { fence: first!.fence, afterSeq: 0 });
    await clock.advance(101);
    const second = await store.sessions.claim(id, 'two', clock.now() + 100);
    const late = store.log.append(id, [done()], { fence: first!.fence, afterSeq: 1 });
    await expect(late).rejects.toMatchObject({ code: 'claim_lost' });
    await store.log.append(id, [done()], { fence: second!.fence, afterSeq: 1 });
    expect((await store.log.read(id, 0, 10)).map(({ type }) => type)).toEqual([
      'session.started',
      'session.done',
    ]);
  });

  it('renews the claims a node still holds, and notes how far their sessions have come', async () => {
    const { store, clock } = fixture();
    const [kept, lost, ended] = await Promise.all([create(store), create(store), create(store)]);
    for (const { id } of [kept, lost, ended]) await store.sessions.claim(id, 'one', clock.now() + 100);
    await store.log.append(ended.id, [started, done(9000)]);
    await clock.advance(101);
    await store.sessions.claim(lost.id, 'two', clock.now() + 100);
    const progress = { processedMs: 3000, durationMs: 4000 };
    const all = [kept, lost, ended].map(({ id }) => ({ id, ...progress }));
    expect(await store.sessions.renew('one', clock.now() + 500, all)).toEqual(new Set([kept.id]));
    expect(await store.sessions.renew('one', clock.now() + 500, [])).toEqual(new Set());
    await clock.advance(200);
    expect(await store.sessions.claim(kept.id, 'two', clock.now() + 100)).toBeNull();
    expect(await store.sessions.find(kept.id, null)).toMatchObject(progress);
    expect(await store.sessions.find(lost.id, null)).toMatchObject({ processedMs: 0 });
    expect(await store.sessions.find(ended.id, null)).toMatchObject({ processedMs: 9000 });
  });
}
