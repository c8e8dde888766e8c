import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DurableDraft, DurableEvent } from '../../../src/domain/event.ts';
import { nextState, type SessionState } from '../../../src/domain/session.ts';
import { create, done, type Fixture, failed, final, plain, sent, started, token, unused } from './fixture.ts';

/** The drafts that bring a new session to a state. */
const PATHS: Record<SessionState, readonly DurableDraft[]> = {
  PENDING: [],
  IN_PROGRESS: [started],
  DONE: [started, done()],
  FAILED: [started, failed()],
  SENT: [started, done(), sent],
};

type Kind = 'started' | 'final' | 'done' | 'failed' | 'sent';
const DRAFTS: Record<Kind, DurableDraft> = { started, final: final(0), done: done(), failed: failed(), sent };

type Outcome = SessionState | 'session_ended' | 'conflict';
const ENDED = 'session_ended';

const OUTCOMES: Record<SessionState, Record<Kind, Outcome>> = {
  PENDING: { started: 'IN_PROGRESS', final: 'PENDING', done: 'DONE', failed: 'FAILED', sent: 'conflict' },
  IN_PROGRESS: {
    started: 'conflict',
    final: 'IN_PROGRESS',
    done: 'DONE',
    failed: 'FAILED',
    sent: 'conflict',
  },
  DONE: { started: ENDED, final: ENDED, done: ENDED, failed: ENDED, sent: 'SENT' },
  FAILED: { started: ENDED, final: ENDED, done: ENDED, failed: ENDED, sent: 'SENT' },
  SENT: { started: ENDED, final: ENDED, done: ENDED, failed: ENDED, sent: ENDED },
};

export function eventLogSuite(fixture: () => Fixture): void {
  it('returns what it stored, to the byte', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const drafts = [started, final(0), token('rsp_1', 0, 'a'), done(7000)];
    const stored = await store.log.append(id, drafts);
    expect(stored.map(plain)).toEqual(drafts);
    expect(stored.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(new Set(stored.map(({ at }) => at))).toEqual(new Set([new Date(clock.now()).toISOString()]));
    expect(JSON.stringify(await store.log.read(id, 0, 10))).toBe(JSON.stringify(stored));
  });

  it('fills in the seq of the event that carries a receipt', async () => {
    const { store } = fixture();
    const { id } = await create(store);
    await store.log.append(id, [started, final(0)]);
    const [ending] = await store.log.append(id, [done()]);
    expect(ending).toMatchObject({ seq: 3, receipt: { lastSeq: 3 } });
    expect(await store.log.read(id, 2, 1)).toEqual([ending]);
  });

  it('moves the session on with its events', async () => {
    const { store, clock } = fixture();
    const { id } = await create(store);
    const at = () => new Date(clock.now()).toISOString();
    await clock.advance(5);
    const startedAt = at();
    await store.log.append(id, [started]);
    await clock.advance(5);
    const finishedAt = at();
    await store.log.append(id, [final(0), done(5000)]);
    await clock.advance(5);
    await store.log.append(id, [sent]);
    expect(await store.sessions.find(id, null)).toMatchObject({
      state: 'SENT',
      startedAt,
      finishedAt,
      lastSeq: 4,
      durationMs: 5000,
      processedMs: 5000,
    });
  });

  for (const [state, row] of Object.entries(OUTCOMES) as [SessionState, Record<Kind, Outcome>][])
    it(`takes in state ${state} what the state allows`, async () => {
      const { store } = fixture();
      for (const [kind, outcome] of Object.entries(row) as [Kind, Outcome][]) {
        const { id } = await create(store);
        await store.log.append(id, PATHS[state]);
        const found = await store.log.append(id, [DRAFTS[kind]]).then(
          async () => (await store.sessions.find(id, null))!.state,
          (error: { code: string }) => error.code,
        );
        expect({ kind, found }).toEqual({ kind, found: outcome });
      }
    });

  it('stores all of a batch or none', async () => {
    const { store } = fixture();
    const { id } = await create(store);
    await expect(store.log.append(id, [started, done(), final(0)])).rejects.toMatchObject({
      code: 'session_ended',
    });
    expect(await store.log.read(id, 0, 10)).toEqual([]);
    expect(await store.sessions.find(id, null)).toMatchObject({ state: 'PENDING', lastSeq: 0 });
  });

  it('takes an empty batch for what it is', async () => {
    const { store } = fixture();
    expect(await store.log.append('ses_none', [])).toEqual([]);
  });

  it('says when the session is not there', async () => {
    const appending = fixture().store.log.append('ses_none', [started]);
    await expect(appending).rejects.toMatchObject({ code: 'not_found' });
  });

  it('reads from after a seq, as many as asked for', async () => {
    const { store } = fixture();
    const { id } = await create(store);
    await store.log.append(id, [started, final(0), final(1000), final(2000)]);
    expect((await store.log.read(id, 1, 2)).map(({ seq }) => seq)).toEqual([2, 3]);
    expect(await store.log.read(id, 4, 2)).toEqual([]);
  });

  it('keeps seqs dense and states legal however appends are interleaved', async () => {
    const { store } = fixture();
    const kinds = Object.keys(DRAFTS) as Kind[];
    const batches = fc.array(
      fc.record({
        session: fc.nat(1),
        drafts: fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 14 },
    );
    const property = fc.asyncProperty(batches, async (plan) => {
      const tenantId = unused('tenant');
      const ids = [await create(store, { tenantId }), await create(store, { tenantId })].map(({ id }) => id);
      const results = await Promise.allSettled(
        plan.map(({ session, drafts }) =>
          store.log.append(
            ids[session]!,
            drafts.map((kind) => DRAFTS[kind]),
          ),
        ),
      );
      const told = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      for (const id of ids) {
        const log = await store.log.read(id, 0, 100);
        expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
        const bySeq = (a: DurableEvent, b: DurableEvent) => a.seq - b.seq;
        expect(told.filter(({ sessionId }) => sessionId === id).sort(bySeq)).toEqual(log);
        const state = log.reduce<SessionState | null>((at, event) => at && nextState(at, event), 'PENDING');
        expect(await store.sessions.find(id, null)).toMatchObject({ state, lastSeq: log.length });
      }
    });
    await fc.assert(property, { numRuns: 20 });
  });
}
