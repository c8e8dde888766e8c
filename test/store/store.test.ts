/** One suite for both databases: what holds on one holds on the other. */
import PgBoss from 'pg-boss';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases, type OpenedStore } from '../support/databases.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { claimsSuite } from './suites/claims.ts';
import { deliveriesSuite } from './suites/deliveries.ts';
import { eventLogSuite } from './suites/event-log.ts';
import { feedSuite } from './suites/feed.ts';
import type { Fixture } from './suites/fixture.ts';
import { onceSuite } from './suites/once.ts';
import { sessionsSuite } from './suites/sessions.ts';
import { tokensSuite } from './suites/tokens.ts';

describe.each(databases())('the store on $name', ({ name, open }) => {
  const clock = new FakeClock();
  let opened: OpenedStore;
  const fixture = (): Fixture => ({ store: opened.store, clock });

  beforeAll(async () => {
    opened = await open(clock);
  });
  afterAll(() => opened?.cleanup());

  it('answers, and says what it is', async () => {
    await opened.store.ping();
    expect(opened.store.kind).toBe(name);
  });

  describe('sessions', () => sessionsSuite(fixture));
  describe('claims', () => claimsSuite(fixture));
  describe('stream tokens', () => tokensSuite(fixture));
  describe('the event log', () => eventLogSuite(fixture));
  describe('the feed', () => feedSuite(fixture));
  describe('what is sent twice', () => onceSuite(fixture));
  describe('deliveries', () => deliveriesSuite(fixture));

  it('lets a job queue of its own client work beside it', async () => {
    const boss = new PgBoss({ connectionString: opened.store.connectionString, max: 3 });
    boss.on('error', () => {});
    await boss.start();
    await boss.createQueue('test');
    const worked = new Promise<unknown>((resolve) => {
      void boss.work('test', { pollingIntervalSeconds: 0.5 }, async ([job]) => resolve(job!.data));
    });
    await Promise.all([
      boss.send('test', { answer: 42 }),
      ...Array.from({ length: 50 }, () => opened.store.ping()),
    ]);
    expect(await worked).toEqual({ answer: 42 });
    await boss.stop({ graceful: false });
  });
});
