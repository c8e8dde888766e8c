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
    expect(await store.sessions.claim(id, 'one', clock.now() + 100)).toBe(true);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).toBe(false);
    expect(await store.sessions.claim(id, 'one', clock.now() + 200)).toBe(true);
    await clock.advance(150);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).toBe(false);
    await clock.advance(51);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).toBe(true);
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
    await store.sessions.claim(id, 'one', clock.now());
    await clock.advance(1);
    expect(await abandoned()).toContain(id);
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).toBe(true);
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
    expect(await store.sessions.claim(id, 'two', clock.now() + 100)).toBe(true);
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
    expect(await store.sessions.claim(id, 'one', clock.now() + 100)).toBe(false);
  });
}
