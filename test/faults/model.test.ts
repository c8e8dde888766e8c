/**
 * The store against a model of it, on both databases: whatever is done in whatever order, with nodes that die, answers that
 * get lost and deliveries that are asked for anew, both come to the same, and no session makes a step it may not.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/store/connect.ts';
import { databases } from '../support/databases.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { isLong, keepResult, SEED, times } from './effort.ts';
import { actions } from './support/actions.ts';
import { illegal, transitions, violations, watchTransitions } from './support/audit.ts';
import { Twin } from './support/twin.ts';
import { eraseRun, expectSameState } from './support/twin-state.ts';

const RUNS = times(100, 10_000);

/** After so many runs what they erased is swept out: the embedded database does not do so by itself. */
const VACUUM_EVERY = 250;

/** What a test of any length cannot fail to meet: one that never gets there would show nothing. */
const MET = [
  'claim: refused',
  'claim: after a crash',
  'append: stored',
  'append: claim_lost',
  'append: session_ended',
  'append: not_found',
  'repeat: stored already',
  'replay: stored',
  'take: some',
  'record: sent',
  'record: lease lost',
  'redeliver: after SENT',
  'redeliver: refused',
  'delete: done',
];
/** And a long one. */
const MET_IN_LONG = [
  'append: conflict',
  'replay: claim_lost',
  'replay: session_ended',
  'record: retry',
  'record: disable',
  'redeliver: before SENT',
  'redeliverFailed: some',
  'abandoned: some',
];

describe.concurrent.each(databases())('the store on $name', ({ name, open }) => {
  it('does what its model does', { timeout: times(300_000, 1_800_000) }, async () => {
    console.log(`model on ${name}: FAULTS_SEED=${SEED}`);
    const clock = new FakeClock();
    const { store, cleanup } = await open(clock);
    const sql = connect(store.connectionString, { max: 1, settings: {} });
    await watchTransitions(sql);
    const met = new Map<string, number>();
    let [runs, steps, changes] = [0, 0, 0];

    const property = fc.asyncProperty(actions, async (sequence) => {
      const twin = new Twin(store, clock, `run_${String(++runs).padStart(6, '0')}`);
      try {
        for (const action of sequence) {
          const came = `${action.kind}: ${await twin.step(action)}`;
          met.set(came, (met.get(came) ?? 0) + 1);
        }
        await expectSameState(sql, twin.tenantId, twin.model);
        expect(await violations(sql)).toEqual([]);
        const noted = await transitions(sql);
        // Whether somebody asked is the model's to say: it has compared the changes one by one.
        expect(illegal(noted, () => true)).toEqual([]);
        changes += [...noted.values()].flat().length;
        steps += sequence.length;
      } finally {
        await eraseRun(sql);
        if (runs % VACUUM_EVERY === 0) await sql.unsafe('vacuum');
      }
    });
    try {
      await fc.assert(property, { numRuns: RUNS, seed: SEED });
      const expected = isLong ? [...MET, ...MET_IN_LONG] : MET;
      expect(expected.filter((came) => !met.has(came))).toEqual([]);
    } finally {
      await sql.end();
      await cleanup();
    }
    const result = `${RUNS} sequences, ${steps} steps, ${changes} changes of state: 0 violations`;
    keepResult(`A5 ${name}`, result);
  });
});
