import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  begin,
  type Circumstances,
  type ConnectionEvent,
  type ConnectionKind,
  type ConnectionState,
  step,
} from '../../src/client/connection.ts';
import { EarshotError } from '../../src/client/error.ts';

const NOW: Circumstances = { nowMs: 1_000, random: 0.5, patienceMs: 60_000, resumable: true };
const attempt = { resuming: true, ending: false, attempt: 1, untilMs: 30_000, ghostsUntilMs: 0 };

const STATES: Record<ConnectionKind, ConnectionState> = {
  connecting: { kind: 'connecting', ...attempt },
  open: { kind: 'open', ghostsUntilMs: 0 },
  ending: { kind: 'ending', ghostsUntilMs: 0 },
  waiting: { kind: 'waiting', ...attempt },
  done: { kind: 'done' },
  failed: { kind: 'failed' },
};

const error = new EarshotError('internal', 'for the test');
const EVENTS = {
  ready: { kind: 'ready', resumeFromSample: 480 },
  readyAnew: { kind: 'ready', resumeFromSample: 0 },
  dropped: { kind: 'lost', code: 1006, error: null },
  restarting: { kind: 'lost', code: 1012, error: null },
  refused: { kind: 'lost', code: 4401, error: null },
  replaced: { kind: 'lost', code: 4409, error: null },
  retry: { kind: 'retry' },
  end: { kind: 'end' },
  finished: { kind: 'finished' },
  fail: { kind: 'fail', error },
} as const satisfies Record<string, ConnectionEvent>;

/** The next state and the effects, in order; null: nothing changes. */
type Expected = readonly [ConnectionKind, ...string[]] | null;
const FAIL: Expected = ['failed', 'close', 'reject'];
const FINISH: Expected = ['done', 'close'];
const WAIT: Expected = ['waiting', 'wait'];

const TABLE: Record<ConnectionKind, Record<keyof typeof EVENTS, Expected>> = {
  connecting: {
    ready: ['open', 'sendFrom'],
    readyAnew: ['open', 'sendFrom'],
    dropped: WAIT,
    restarting: WAIT,
    refused: FAIL,
    replaced: FAIL,
    retry: null,
    end: ['connecting'],
    finished: FINISH,
    fail: FAIL,
  },
  open: {
    ready: null,
    readyAnew: null,
    dropped: WAIT,
    restarting: WAIT,
    refused: FAIL,
    replaced: FAIL,
    retry: null,
    end: ['ending', 'sendEnd'],
    finished: FINISH,
    fail: FAIL,
  },
  ending: {
    ready: null,
    readyAnew: null,
    dropped: WAIT,
    restarting: WAIT,
    refused: FAIL,
    replaced: FAIL,
    retry: null,
    end: null,
    finished: FINISH,
    fail: FAIL,
  },
  waiting: {
    ready: null,
    readyAnew: null,
    dropped: null,
    restarting: null,
    refused: null,
    replaced: null,
    retry: ['connecting', 'connect'],
    end: ['waiting'],
    finished: FINISH,
    fail: FAIL,
  },
  done: {
    ready: null,
    readyAnew: null,
    dropped: null,
    restarting: null,
    refused: null,
    replaced: null,
    retry: null,
    end: null,
    finished: null,
    fail: null,
  },
  failed: {
    ready: null,
    readyAnew: null,
    dropped: null,
    restarting: null,
    refused: null,
    replaced: null,
    retry: null,
    end: null,
    finished: null,
    fail: null,
  },
};

describe('the connection of a live stream', () => {
  for (const [kind, row] of Object.entries(TABLE))
    for (const [name, expected] of Object.entries(row))
      it(`when ${kind}, ${name} ${expected ? `leads to ${expected.join(', ')}` : 'changes nothing'}`, () => {
        const before = STATES[kind as ConnectionKind];
        const [after, effects] = step(before, EVENTS[name as keyof typeof EVENTS], NOW);
        if (expected === null) expect([after, effects]).toEqual([before, []]);
        else expect([after.kind, ...effects.map((effect) => effect.kind)]).toEqual(expected);
      });

  it('sends from where the gateway says, and the end again, when it was ending', () => {
    const [waiting] = step(STATES.ending, EVENTS.dropped, NOW);
    const [connecting] = step(waiting, EVENTS.retry, NOW);
    expect(step(connecting, EVENTS.ready, NOW)).toEqual([
      { kind: 'ending', ghostsUntilMs: 61_000 },
      [{ kind: 'sendFrom', sample: 480 }, { kind: 'sendEnd' }],
    ]);
  });

  it.each(['open', 'ending', 'connecting'] as const)(
    'takes the session back, once, from a connection of its own that arrives late: when %s',
    (kind) => {
      const state = { ...STATES[kind], ghostsUntilMs: NOW.nowMs + 1 } as ConnectionState;
      const [waiting, effects] = step(state, EVENTS.replaced, NOW);
      expect(effects.map((effect) => effect.kind)).toEqual(['wait']);
      expect(waiting).toMatchObject({ kind: 'waiting', ghostsUntilMs: 0, resuming: true });
      const [connecting] = step(waiting, EVENTS.retry, NOW);
      const [again] = step(connecting, EVENTS.ready, NOW);
      expect(step(again, EVENTS.replaced, NOW)[0]).toEqual({ kind: 'failed' });
      // A minute after the last loss it was somebody else.
      expect(
        step({ ...state, ghostsUntilMs: NOW.nowMs } as ConnectionState, EVENTS.replaced, NOW)[0],
      ).toEqual({
        kind: 'failed',
      });
    },
  );

  it('remembers an end that was asked for while there was no connection', () => {
    for (const state of [STATES.waiting, STATES.connecting])
      expect(step(state, EVENTS.end, NOW)[0]).toMatchObject({ kind: state.kind, ending: true });
  });

  it('gives up when patience is over, with what the gateway said last', () => {
    const late = { ...NOW, nowMs: 29_999 };
    const said = new EarshotError('overloaded', 'too busy');
    const [state, effects] = step(STATES.connecting, { kind: 'lost', code: 1013, error: said }, late);
    expect(state.kind).toBe('failed');
    expect(effects).toContainEqual({ kind: 'reject', error: said });
  });

  it('waits at least as long as the gateway asks', () => {
    const busy = new EarshotError('overloaded', 'too busy', { retryAfterMs: 4_000 });
    const [, [effect]] = step(begin(0, 10_000), { kind: 'lost', code: 1013, error: busy }, NOW);
    expect(effect).toMatchObject({ kind: 'wait' });
    expect(effect?.kind === 'wait' && effect.delayMs).toBeGreaterThanOrEqual(4_000);
  });

  it('does not take up a container again', () => {
    const [, effects] = step(STATES.open, EVENTS.dropped, { ...NOW, resumable: false });
    expect(effects).toMatchObject([{ kind: 'close' }, { kind: 'reject', error: { code: 'not_resumable' } }]);
  });

  it('says so when the session ended while it was away', () => {
    const [, effects] = step(STATES.connecting, { kind: 'lost', code: 4410, error: null }, NOW);
    expect(effects).toMatchObject([{ kind: 'close' }, { kind: 'reject', error: { code: 'not_resumable' } }]);
  });

  it('never leaves the end, and never waits longer than its patience, whatever happens', () => {
    const event = fc.constantFrom<ConnectionEvent>(...Object.values(EVENTS));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(event, fc.nat(20_000), fc.double({ min: 0, max: 0.999, noNaN: true }))),
        (steps) => {
          let nowMs = 0;
          let state = begin(nowMs, 10_000);
          for (const [what, laterMs, random] of steps) {
            nowMs += laterMs;
            const ended = state.kind === 'done' || state.kind === 'failed';
            const [next, effects] = step(state, what, { ...NOW, nowMs, random });
            if (ended) expect([next, effects]).toEqual([state, []]);
            for (const effect of effects)
              if (effect.kind === 'wait' && next.kind === 'waiting')
                expect(nowMs + effect.delayMs).toBeLessThanOrEqual(next.untilMs);
            state = next;
          }
        },
      ),
    );
  });
});
