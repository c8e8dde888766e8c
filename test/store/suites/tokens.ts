import { expect, it } from 'vitest';
import { create, type Fixture, unused } from './fixture.ts';

export function tokensSuite(fixture: () => Fixture): void {
  it('opens its session until it expires', async () => {
    const { store, clock } = fixture();
    const { id, tenantId } = await create(store);
    const hash = unused('hash');
    await store.tokens.save(hash, id, clock.now() + 100);
    expect(await store.tokens.find(hash, clock.now() + 99)).toEqual({ sessionId: id, tenantId });
    expect(await store.tokens.find(hash, clock.now() + 100)).toBeNull();
    expect(await store.tokens.find(unused('hash'), clock.now())).toBeNull();
  });

  it('forgets expired tokens when the session gets a new one', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const [old, fresh] = [unused('hash'), unused('hash')];
    await store.tokens.save(old, id, clock.now() + 100);
    await clock.advance(100);
    await store.tokens.save(fresh, id, clock.now() + 100);
    // Asked as of a time when the old one was good: it is gone, not just refused.
    expect(await store.tokens.find(old, clock.now() - 50)).toBeNull();
    expect(await store.tokens.find(fresh, clock.now())).not.toBeNull();
  });

  it('keeps what is granted before there is a session, until it expires', async () => {
    const { store, clock } = fixture();
    const [old, fresh] = [unused('hash'), unused('hash')];
    const grant = { tenantId: unused('tenant'), settings: { language: 'ko' } };
    await store.tokens.saveGrant(old, grant, clock.now() + 100);
    expect(await store.tokens.findGrant(old, clock.now() + 99)).toEqual(grant);
    expect(await store.tokens.findGrant(old, clock.now() + 100)).toBeNull();
    expect(await store.tokens.find(old, clock.now())).toBeNull();
    await clock.advance(100);
    await store.tokens.saveGrant(fresh, { ...grant, settings: null }, clock.now() + 100);
    expect(await store.tokens.findGrant(old, clock.now() - 50)).toBeNull();
    expect(await store.tokens.findGrant(fresh, clock.now())).toEqual({ ...grant, settings: null });
  });

  it('refuses a token for a session that is not there', async () => {
    const saving = fixture().store.tokens.save(unused('hash'), 'ses_none', 1);
    await expect(saving).rejects.toMatchObject({ code: 'not_found' });
  });
}
