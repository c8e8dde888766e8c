import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { samples } from '../../src/domain/time.ts';
import {
  BEFORE_SPEECH,
  type EndedBy,
  type EndpointEffect,
  type EndpointEvent,
  type EndpointState,
  framesAtOnce,
  neededFrom,
  step,
} from '../../src/speech/endpointing.ts';
import { FRAME_SAMPLES } from '../../src/speech/frame.ts';

const at = (frame: number) => samples(frame * FRAME_SAMPLES);
/** Silence of 16 frames, utterances of 64. */
const limits = { silence: at(16), maxUtterance: at(64) };
const NOW = at(1000);
const PRE_ROLL = 224 * 16;

const open = { start: at(990), from: at(990), lastProbability: 0.9, cut: null };
const old = { start: at(936), from: at(936), lastProbability: 0.9, cut: { at: at(970), loudness: 0.4 } };

const STATES = {
  silence: { kind: 'silence', floor: at(10) },
  'silence just after an utterance': { kind: 'silence', floor: at(999) },
  onset: { kind: 'onset', floor: at(10), since: at(999), loudFrames: 1 },
  speaking: { kind: 'speaking', ...open },
  'speaking at the limit': { kind: 'speaking', ...old },
  trailing: { kind: 'trailing', silentSince: at(998), ...open },
  'trailing, about to pause': { kind: 'trailing', silentSince: at(995), ...open },
  'trailing, about to end': {
    kind: 'trailing',
    silentSince: at(988),
    ...open,
    start: at(960),
    from: at(960),
  },
  'trailing at the limit': { kind: 'trailing', silentSince: at(999), ...old },
  'pausing at the limit': { kind: 'trailing', silentSince: at(994), ...old },
} as const satisfies Record<string, EndpointState>;

const EVENTS = {
  loud: { kind: 'frame', position: NOW, probability: 0.9 },
  middling: { kind: 'frame', position: NOW, probability: 0.4 },
  quiet: { kind: 'frame', position: NOW, probability: 0.1 },
  commit: { kind: 'commit', position: samples(NOW + 100) },
  discard: { kind: 'discard', position: samples(NOW + 100) },
  end: { kind: 'end', position: samples(NOW + 100) },
} as const satisfies Record<string, EndpointEvent>;

type Expected = { to: EndpointState['kind']; tells?: EndpointEffect[] };

const ended = (start: number, end: number, endedBy: EndedBy) =>
  ({
    kind: 'ended',
    from: samples(start),
    start: samples(start),
    end: samples(end),
    to: samples(end),
    endedBy,
  }) as const;
const started = (start: number, from = start) =>
  ({ kind: 'started', from: samples(from), start: samples(start) }) as const;

/** Cut at the quietest place; the next utterance goes on from there, and each is heard with some of the other. */
const CUT: Expected = {
  to: 'speaking',
  tells: [{ ...ended(at(936), at(970), 'length'), to: at(1001) }, started(at(970), at(936))],
};

const TABLE: Record<keyof typeof STATES, Record<keyof typeof EVENTS, Expected>> = {
  silence: {
    loud: { to: 'onset' },
    middling: { to: 'silence' },
    quiet: { to: 'silence' },
    commit: { to: 'silence' },
    discard: { to: 'silence' },
    end: { to: 'silence' },
  },
  'silence just after an utterance': {
    loud: { to: 'onset' },
    middling: { to: 'silence' },
    quiet: { to: 'silence' },
    commit: { to: 'silence' },
    discard: { to: 'silence' },
    end: { to: 'silence' },
  },
  onset: {
    loud: { to: 'speaking', tells: [started(at(999) - PRE_ROLL)] },
    middling: { to: 'silence' },
    quiet: { to: 'silence' },
    commit: { to: 'onset' },
    discard: { to: 'silence' },
    end: { to: 'onset' },
  },
  speaking: {
    loud: { to: 'speaking' },
    middling: { to: 'speaking' },
    quiet: { to: 'trailing' },
    commit: { to: 'silence', tells: [ended(at(990), NOW + 100, 'commit')] },
    discard: { to: 'silence', tells: [ended(at(990), NOW + 100, 'discard')] },
    end: { to: 'silence', tells: [ended(at(990), NOW + 100, 'end')] },
  },
  'speaking at the limit': {
    loud: CUT,
    middling: CUT,
    quiet: CUT,
    commit: { to: 'silence', tells: [ended(at(936), NOW + 100, 'commit')] },
    discard: { to: 'silence', tells: [ended(at(936), NOW + 100, 'discard')] },
    end: { to: 'silence', tells: [ended(at(936), NOW + 100, 'end')] },
  },
  trailing: {
    loud: { to: 'speaking' },
    middling: { to: 'trailing' },
    quiet: { to: 'trailing' },
    commit: { to: 'silence', tells: [ended(at(990), NOW + 100, 'commit')] },
    discard: { to: 'silence', tells: [ended(at(990), NOW + 100, 'discard')] },
    end: { to: 'silence', tells: [ended(at(990), NOW + 100, 'end')] },
  },
  'trailing, about to pause': {
    loud: { to: 'speaking' },
    middling: { to: 'trailing', tells: [{ kind: 'pausing', from: at(990), start: at(990), end: at(1001) }] },
    quiet: { to: 'trailing', tells: [{ kind: 'pausing', from: at(990), start: at(990), end: at(1001) }] },
    commit: { to: 'silence', tells: [ended(at(990), NOW + 100, 'commit')] },
    discard: { to: 'silence', tells: [ended(at(990), NOW + 100, 'discard')] },
    end: { to: 'silence', tells: [ended(at(990), NOW + 100, 'end')] },
  },
  'trailing, about to end': {
    loud: { to: 'speaking' },
    middling: { to: 'silence', tells: [ended(at(960), at(994), 'silence')] },
    quiet: { to: 'silence', tells: [ended(at(960), at(994), 'silence')] },
    commit: { to: 'silence', tells: [ended(at(960), at(994), 'commit')] },
    discard: { to: 'silence', tells: [ended(at(960), NOW + 100, 'discard')] },
    end: { to: 'silence', tells: [ended(at(960), at(994), 'end')] },
  },
  'trailing at the limit': {
    loud: CUT,
    middling: CUT,
    quiet: CUT,
    commit: { to: 'silence', tells: [ended(at(936), NOW + 100, 'commit')] },
    discard: { to: 'silence', tells: [ended(at(936), NOW + 100, 'discard')] },
    end: { to: 'silence', tells: [ended(at(936), NOW + 100, 'end')] },
  },
  'pausing at the limit': {
    loud: CUT,
    middling: { to: 'silence', tells: [ended(at(936), at(1000), 'length')] },
    quiet: { to: 'silence', tells: [ended(at(936), at(1000), 'length')] },
    commit: { to: 'silence', tells: [ended(at(936), at(1000), 'commit')] },
    discard: { to: 'silence', tells: [ended(at(936), NOW + 100, 'discard')] },
    end: { to: 'silence', tells: [ended(at(936), at(1000), 'end')] },
  },
};

describe('endpointing', () => {
  for (const state of Object.keys(TABLE) as (keyof typeof TABLE)[])
    for (const event of Object.keys(EVENTS) as (keyof typeof EVENTS)[]) {
      const { to, tells = [] } = TABLE[state][event];
      it(`goes from ${state} to ${to} on ${event}${tells.map(({ kind }) => ` and tells ${kind}`).join('')}`, () => {
        const [next, effects] = step(STATES[state], EVENTS[event], limits);
        expect(next.kind).toBe(to);
        expect(effects).toEqual(tells);
      });
    }

  it('never begins an utterance before the end of the one before', () => {
    const [onset] = step(STATES['silence just after an utterance'], EVENTS.loud, limits);
    const [, effects] = step(onset, { ...EVENTS.loud, position: at(1001) }, limits);
    expect(effects).toEqual([started(at(999))]);
  });

  it('cuts where two neighbouring frames are quietest, late rather than early', () => {
    const probabilities = [...Array(63).fill(0.9), 0.9, 0.9];
    probabilities[50] = 0.4;
    probabilities[51] = 0.4;
    probabilities[55] = 0.36;
    const [, effects] = run(
      probabilities.map((probability, i) => ({ kind: 'frame', position: at(i), probability })),
    );
    expect(effects.find(({ kind }) => kind === 'ended')).toMatchObject({ end: at(51) });
  });
});

function run(events: readonly EndpointEvent[], by = limits): [EndpointState, EndpointEffect[]] {
  let state = BEFORE_SPEECH;
  const effects: EndpointEffect[] = [];
  for (const event of events) {
    const [next, told] = step(state, event, by);
    state = next;
    effects.push(...told);
  }
  return [state, effects];
}

/** Stretches of loud, middling and quiet frames with commits strewn in, and the end. */
const streams = fc
  .array(
    fc.record({
      probability: fc.constantFrom(0, 0.2, 0.36, 0.45, 0.5, 0.7, 1),
      frames: fc.integer({ min: 1, max: 70 }),
      commitAfter: fc.option(fc.integer({ min: 0, max: FRAME_SAMPLES - 1 }), { freq: 4 }),
    }),
    { maxLength: 40 },
  )
  .map((stretches) => {
    const events: EndpointEvent[] = [];
    let frame = 0;
    for (const { probability, frames, commitAfter } of stretches) {
      for (let i = 0; i < frames; i++) events.push({ kind: 'frame', position: at(frame++), probability });
      if (commitAfter !== null) events.push({ kind: 'commit', position: samples(at(frame) + commitAfter) });
    }
    return [...events, { kind: 'end', position: samples(at(frame) + FRAME_SAMPLES - 1) } as const];
  });

const someLimits = fc.record({
  silence: fc.integer({ min: 1_600, max: 80_000 }).map(samples),
  maxUtterance: fc.integer({ min: 32_000, max: 448_000 }).map(samples),
});

describe('frames that are heard together', () => {
  it.each([
    ['silence', 2],
    ['onset', 1],
    ['speaking', 4],
    // Six frames of silence are a pause, thirteen an end.
    ['trailing', 4],
    ['trailing, about to pause', 1],
    ['trailing, about to end', 1],
  ] as const)('in %s are %i', (state, frames) => {
    expect(framesAtOnce(STATES[state], NOW, limits)).toBe(frames);
  });

  it('never tell of an end by silence later than it comes', () => {
    const probabilities = fc.array(fc.constantFrom(0.1, 0.1, 0.4, 0.9, 0.9), { maxLength: 300 });
    fc.assert(
      fc.property(probabilities, fc.integer({ min: 3, max: 40 }), (frames, silenceFrames) => {
        const some = { silence: at(silenceFrames), maxUtterance: at(200) };
        let state: EndpointState = BEFORE_SPEECH;
        for (let frame = 0; frame < frames.length; ) {
          const until = frame + framesAtOnce(state, at(frame), some);
          for (; frame < Math.min(until, frames.length); frame++) {
            const [next, effects] = step(
              state,
              { kind: 'frame', position: at(frame), probability: frames[frame]! },
              some,
            );
            state = next;
            const ends = effects.some((effect) => effect.kind === 'ended' && effect.endedBy === 'silence');
            if (ends) expect(frame).toBe(until - 1);
          }
        }
      }),
    );
  });
});

describe('any stream of frames', () => {
  it('gives utterances in order, apart, within the audio, none too long, each begun and ended once', () => {
    fc.assert(
      fc.property(streams, someLimits, (events, by) => {
        const [, effects] = run(events, by);
        let before = 0;
        let open: number | null = null;
        for (const effect of effects)
          if (effect.kind === 'started') {
            expect(open).toBeNull();
            expect(effect.start).toBeGreaterThanOrEqual(before);
            open = effect.start;
          } else {
            expect(effect.start).toBe(open);
            expect(effect.end).toBeGreaterThan(effect.start);
            expect(effect.end - effect.start).toBeLessThanOrEqual(by.maxUtterance);
            expect(effect.end).toBeLessThanOrEqual(events.at(-1)!.position);
            if (effect.kind === 'ended') {
              before = effect.end;
              open = null;
            }
          }
        expect(open).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it('hears at most 28 s at once, and around a cut some of both sides', () => {
    fc.assert(
      fc.property(streams, someLimits, (events, by) => {
        let ended: Extract<EndpointEffect, { kind: 'ended' }> | null = null;
        for (const effect of run(events, by)[1]) {
          if (effect.kind === 'pausing') continue;
          expect(effect.from).toBeLessThanOrEqual(effect.start);
          if (effect.kind === 'started') {
            expect(effect.from < effect.start).toBe(ended !== null && ended.to > ended.end);
            if (ended) expect(effect.from).toBeGreaterThanOrEqual(Math.min(ended.start, effect.start));
            continue;
          }
          expect(effect.to).toBeGreaterThanOrEqual(effect.end);
          expect(effect.to - effect.from).toBeLessThanOrEqual(28 * 16_000);
          ended = effect;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never needs again what it once let go', () => {
    fc.assert(
      fc.property(streams, someLimits, (events, by) => {
        let state = BEFORE_SPEECH;
        let needed = 0;
        for (const event of events) {
          const [next, effects] = step(state, event, by);
          for (const { from } of effects) expect(from).toBeGreaterThanOrEqual(needed);
          state = next;
          if (event.kind !== 'frame') continue;
          const now = neededFrom(state, samples(event.position + FRAME_SAMPLES));
          expect(now).toBeGreaterThanOrEqual(needed);
          needed = now;
        }
      }),
      { numRuns: 300 },
    );
  });

  // With a shorter silence the utterance ends before its pause is noticed.
  it('promises with `pausing` exactly the bounds that silence then gives', () => {
    fc.assert(
      fc.property(streams, someLimits, (events, by) => {
        let promised: EndpointEffect | null = null;
        for (const effect of run(events, by)[1]) {
          if (effect.kind === 'ended' && effect.endedBy === 'silence' && by.silence > 9 * FRAME_SAMPLES)
            expect(promised).toMatchObject({ kind: 'pausing', start: effect.start, end: effect.end });
          promised = effect;
        }
      }),
      { numRuns: 300 },
    );
  });
});
