import { expect, it } from 'vitest';
import { DEFAULT_OPTIONS } from '../../../src/domain/options.ts';
import { sessionView } from '../../../src/domain/session.ts';
import type { SessionFilter } from '../../../src/store/store.ts';
import {
  answered,
  create,
  done,
  type Fixture,
  final,
  newSession,
  started,
  token,
  unanswered,
  unused,
} from './fixture.ts';

const ALL: SessionFilter = { state: null, cursor: null, limit: 100 };

export function sessionsSuite(fixture: () => Fixture): void {
  it('keeps a session as it was made', async () => {
    const { store, clock } = fixture();
    const session = newSession({ source: 'recording', durationMs: 3_000_000_000 });
    const record = await store.sessions.create(session);
    const at = new Date(clock.now()).toISOString();
    expect(record).toEqual({
      ...session,
      state: 'PENDING',
      createdAt: at,
      startedAt: null,
      finishedAt: null,
      processedMs: 0,
      lastSeq: 0,
      audioUrl: null,
    });
    expect(await store.sessions.find(session.id, session.tenantId)).toEqual(record);
  });

  it('keeps any text a client can write', async () => {
    const { store } = fixture();
    const text = 'NUL \u0000, half a pair \ud83d, 한국어, "quotes", \\u0041, \n';
    const options = { ...DEFAULT_OPTIONS, prompt: text, metadata: { key: text } };
    const { id, tenantId } = await create(store, { options });
    await store.log.append(id, [started, final(0, text), token('rsp_1', 0, text)]);
    const found = await store.sessions.read(id, tenantId);
    expect(found?.record.options).toEqual(options);
    expect(found?.events.slice(1)).toMatchObject([{ text }, { delta: text }]);
  });

  it('refuses a second session of the same id', async () => {
    const { store } = fixture();
    const { id } = await create(store);
    await expect(create(store, { id })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('shows a session to its own tenant, and to the gateway', async () => {
    const { store } = fixture();
    const { id, tenantId } = await create(store);
    expect(await store.sessions.find(id, unused('tenant'))).toBeNull();
    expect(await store.sessions.read(id, unused('tenant'))).toBeNull();
    expect(await store.sessions.delete(id, unused('tenant'))).toBe(false);
    expect((await store.sessions.find(id, null))?.tenantId).toBe(tenantId);
  });

  it('refuses an id that the database cannot hold', async () => {
    const { store } = fixture();
    await expect(store.sessions.find('ses_\u0000', null)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('reads what a view is folded from, without the later tokens of answers that are done', async () => {
    const { store } = fixture();
    const options = {
      ...DEFAULT_OPTIONS,
      llm: { instructions: 'x', trigger: 'utterance', maxTokens: 9 },
    } as const;
    const { id, tenantId } = await create(store, { options });
    await store.log.append(id, [
      started,
      final(0),
      token('rsp_done', 0, 'fin'),
      token('rsp_failed', 0, 'half '),
      token('rsp_done', 1, 'ished'),
      answered('rsp_done', 'finished'),
      token('rsp_failed', 1, 'way'),
      unanswered('rsp_failed'),
      token('rsp_open', 0, 'so far'),
    ]);
    const found = (await store.sessions.read(id, tenantId))!;
    expect(found.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 6, 7, 8, 9]);
    const all = await store.log.read(id, 0, 100);
    expect(sessionView(found.record, found.events)).toEqual(sessionView(found.record, all));
    expect(await store.sessions.list(tenantId, ALL)).toEqual({ items: [found], nextCursor: null });
  });

  it('lists newest first, page by page, unmoved by what is added meanwhile', async () => {
    const { store, clock } = fixture();
    const tenantId = unused('tenant');
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      ids.unshift((await create(store, { tenantId })).id);
      // Pairs share an instant: the id decides between them.
      if (index % 2) await clock.advance(1);
    }
    const pages: string[][] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await store.sessions.list(tenantId, { state: null, cursor, limit: 3 });
      pages.push(page.items.map(({ record }) => record.id));
      await create(store, { tenantId });
      cursor = page.nextCursor;
      if (cursor === null) break;
    }
    expect(pages).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
  });

  it('gives no cursor where the last page is full', async () => {
    const { store } = fixture();
    const { tenantId } = await create(store);
    expect((await store.sessions.list(tenantId, { ...ALL, limit: 1 })).nextCursor).toBeNull();
  });

  it('lists by state', async () => {
    const { store } = fixture();
    const { id, tenantId } = await create(store);
    await create(store, { tenantId });
    await store.log.append(id, [started]);
    const { items } = await store.sessions.list(tenantId, { ...ALL, state: 'IN_PROGRESS' });
    expect(items.map(({ record }) => record.id)).toEqual([id]);
  });

  it('refuses a cursor that is none of its own', async () => {
    const { store } = fixture();
    const listing = store.sessions.list('tenant', { ...ALL, cursor: 'not-a-cursor' });
    await expect(listing).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('notes progress, never backwards, and not once the session has ended', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store, { source: 'recording' });
    await store.sessions.claim(id, 'one', clock.now() + 1000);
    const progress = (processedMs: number, durationMs: number | null) =>
      store.sessions.renew('one', clock.now() + 1000, [{ id, processedMs, durationMs }]);
    await progress(2000, 9000);
    await progress(1000, null);
    expect(await store.sessions.find(id, null)).toMatchObject({ processedMs: 2000, durationMs: 9000 });
    await store.log.append(id, [started, done(8999)]);
    await progress(9999, 9999);
    expect(await store.sessions.find(id, null)).toMatchObject({ processedMs: 8999, durationMs: 8999 });
  });

  it('erases a session with its events and tokens', async () => {
    const { store, clock } = fixture();
    const { id, tenantId } = await create(store);
    await store.log.append(id, [started]);
    await store.tokens.save(unused('hash'), id, clock.now() + 1000);
    expect(await store.sessions.delete(id, tenantId)).toBe(true);
    expect(await store.sessions.delete(id, tenantId)).toBe(false);
    expect(await store.log.read(id, 0, 10)).toEqual([]);
    expect((await store.log.feed(tenantId, '0', 10)).events).toEqual([]);
  });

  it('erases what ended before an instant, and nothing else', async () => {
    const { store, clock } = fixture();
    const tenantId = unused('tenant');
    const [old, running, recent] = [
      await create(store, { tenantId }),
      await create(store, { tenantId }),
      await create(store, { tenantId }),
    ];
    await store.log.append(old.id, [done()]);
    await clock.advance(10);
    await store.log.append(recent.id, [done()]);
    expect(await store.sessions.deleteEndedBefore(clock.now())).toBeGreaterThan(0);
    const left = (await store.sessions.list(tenantId, ALL)).items.map(({ record }) => record.id);
    expect(left).toEqual([recent.id, running.id]);
  });
}
