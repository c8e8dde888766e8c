import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../../src/http/openai/realtime-events.ts';
import { step } from '../../../src/http/openai/realtime-items.ts';
import {
  type ItemsInput,
  type ItemsState,
  itemIdOf,
  noItems,
} from '../../../src/http/openai/realtime-items-state.ts';

/** An event in a word or two. */
function brief(event: ServerEvent): string {
  switch (event.type) {
    case 'input_audio_buffer.speech_started':
      return `started ${event.item_id} ${event.audio_start_ms}`;
    case 'input_audio_buffer.speech_stopped':
      return `stopped ${event.item_id} ${event.audio_end_ms}`;
    case 'input_audio_buffer.committed':
      return `committed ${event.item_id} after ${event.previous_item_id}`;
    case 'conversation.item.added':
    case 'conversation.item.done':
      return `${event.type.slice(18)} ${event.item.id}`;
    case 'conversation.item.input_audio_transcription.delta':
      return `delta ${event.item_id} ${event.delta}`;
    case 'conversation.item.input_audio_transcription.completed':
      return `completed ${event.item_id} ${event.transcript} ${event.usage.seconds}`;
    case 'conversation.item.input_audio_transcription.failed':
      return `failed ${event.item_id} ${event.error.code}`;
    case 'input_audio_buffer.cleared':
    case 'session.created':
    case 'session.updated':
    case 'error':
      return event.type;
  }
}

const run = (state: ItemsState, inputs: readonly ItemsInput[]): [ItemsState, ServerEvent[]] =>
  inputs.reduce<[ItemsState, ServerEvent[]]>(
    ([before, told], input) => {
      const [after, more] = step(before, input);
      return [after, [...told, ...more]];
    },
    [state, []],
  );

const made = (id: string, after: string | null = null) => [
  `committed ${id} after ${after}`,
  `added ${id}`,
  `done ${id}`,
];

const A = { utteranceId: 'utt_a', startMs: 1000, endMs: 2000 };
const INPUTS = {
  started: { kind: 'started', ...A },
  partial: { kind: 'partial', ...A, stable: 'so' },
  final: { kind: 'final', ...A, text: 'so far', language: 'en' },
  suppressed: { kind: 'suppressed', ...A },
  commit: { kind: 'commit', itemId: 'item_c', atMs: 2500 },
  settled: { kind: 'settled' },
  clear: { kind: 'clear', atMs: 2500 },
  'detection on': { kind: 'detection', isOn: true, itemId: 'item_d', atMs: 2500 },
  'detection off': { kind: 'detection', isOn: false, itemId: 'item_d', atMs: 2500 },
  broken: { kind: 'broken', error: { code: 'internal', message: 'It broke.' } },
} as const satisfies Record<string, ItemsInput>;

const reach = (detects: boolean, ...inputs: ItemsInput[]) => run(noItems(detects), inputs)[0];
const STATES = {
  'nothing, detecting': reach(true),
  'speech, detecting': reach(true, INPUTS.started),
  'a partial, detecting': reach(true, INPUTS.partial),
  'a commit in speech, detecting': reach(true, INPUTS.partial, INPUTS.commit),
  'a commit in silence, detecting': reach(true, INPUTS.commit),
  'cleared, detecting': reach(true, INPUTS.partial, INPUTS.clear),
  nothing: reach(false),
  'something said': reach(false, {
    ...INPUTS.final,
    utteranceId: 'utt_0',
    startMs: 0,
    endMs: 500,
    text: 'And',
  }),
  'a commit': reach(
    false,
    { ...INPUTS.final, utteranceId: 'utt_0', startMs: 0, endMs: 500, text: 'And' },
    INPUTS.commit,
  ),
  cleared: reach(false, INPUTS.clear),
  'a commit, then cleared': reach(false, INPUTS.commit, { kind: 'clear', atMs: 3000 }),
} satisfies Record<string, ItemsState>;

const STARTED = 'started item_a 1000';
const STOPPED = 'stopped item_a 2000';
const ITEM_A = [STOPPED, ...made('item_a')];
const WHOLE_A = [STARTED, ...ITEM_A, 'delta item_a so far', 'completed item_a so far 1'];
const EMPTY_A = [STARTED, ...ITEM_A, 'completed item_a  1'];
const EMPTY_C = [...made('item_c'), 'completed item_c  2.5'];

const TABLE: Record<keyof typeof STATES, Record<keyof typeof INPUTS, string[]>> = {
  'nothing, detecting': {
    started: [STARTED],
    partial: [STARTED, 'delta item_a so'],
    final: WHOLE_A,
    suppressed: EMPTY_A,
    commit: [],
    settled: [],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: [],
  },
  'speech, detecting': {
    started: [],
    partial: ['delta item_a so'],
    final: WHOLE_A.slice(1),
    suppressed: EMPTY_A.slice(1),
    commit: made('item_a'),
    settled: [],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: ['failed item_a internal'],
  },
  'a partial, detecting': {
    started: [],
    partial: [],
    final: [...ITEM_A, 'delta item_a  far', 'completed item_a so far 1'],
    suppressed: [...ITEM_A, 'failed item_a withheld'],
    commit: made('item_a'),
    settled: [],
    clear: ['failed item_a input_audio_buffer_cleared', 'input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: ['failed item_a internal'],
  },
  'a commit in speech, detecting': {
    started: [],
    partial: [],
    final: ['delta item_a  far', 'completed item_a so far 1'],
    suppressed: ['failed item_a withheld'],
    commit: [],
    settled: [],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: ['failed item_a internal'],
  },
  'a commit in silence, detecting': {
    started: [STARTED],
    partial: [STARTED, 'delta item_a so'],
    final: WHOLE_A,
    suppressed: EMPTY_A,
    commit: [],
    settled: EMPTY_C,
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: [],
  },
  'cleared, detecting': {
    started: [],
    partial: [],
    final: [],
    suppressed: [],
    commit: [],
    settled: [],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: [],
  },
  nothing: {
    started: [],
    partial: [],
    final: [],
    suppressed: [],
    commit: made('item_c'),
    settled: [],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: [],
  },
  'something said': {
    started: [],
    partial: [],
    final: [],
    suppressed: [],
    commit: [...made('item_c'), 'delta item_c And'],
    settled: [],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [...made('item_d'), 'delta item_d And', 'completed item_d And 2.5'],
    'detection off': [],
    broken: [],
  },
  'a commit': {
    started: [],
    partial: [],
    final: ['delta item_c  so far'],
    suppressed: [],
    commit: made('item_c', 'item_c'),
    settled: ['completed item_c And 2.5'],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: ['failed item_c internal'],
  },
  cleared: {
    started: [],
    partial: [],
    final: [],
    suppressed: [],
    commit: made('item_c'),
    settled: [],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: [],
  },
  'a commit, then cleared': {
    started: [],
    partial: [],
    final: ['delta item_c so far'],
    suppressed: [],
    commit: made('item_c', 'item_c'),
    settled: ['completed item_c  2.5'],
    clear: ['input_audio_buffer.cleared'],
    'detection on': [],
    'detection off': [],
    broken: ['failed item_c internal'],
  },
};

describe('the items of a connection', () => {
  for (const [name, state] of Object.entries(STATES))
    for (const [event, input] of Object.entries(INPUTS))
      it(`after ${name}: ${event}`, () => {
        const [, told] = step(state, input);
        expect(told.map(brief)).toEqual(TABLE[name as keyof typeof STATES][event as keyof typeof INPUTS]);
      });

  it('closes what is open when somebody speaks on', () => {
    const [, told] = run(noItems(true), [
      INPUTS.started,
      { kind: 'started', utteranceId: 'utt_b', startMs: 2400 },
      INPUTS.final,
    ]);
    expect(told.map(brief)).toEqual([
      STARTED,
      'stopped item_a 2400',
      ...made('item_a'),
      'started item_b 2400',
      'delta item_a so far',
      'completed item_a so far 1',
    ]);
  });

  it('answers a commit with the utterance that was found before it, and with no other item', () => {
    const [, told] = run(noItems(true), [INPUTS.commit, INPUTS.final, INPUTS.settled]);
    expect(told.map(brief)).toEqual(WHOLE_A);
  });

  it('tells the languages it was spoken in, as far as they are known', () => {
    const [, told] = run(noItems(false), [
      ...['en-US', 'ko', 'und', 'en'].map(
        (language, at): ItemsInput => ({ ...INPUTS.final, utteranceId: `utt_${at}`, language }),
      ),
      INPUTS.commit,
      INPUTS.settled,
    ]);
    expect(told.at(-1)).toMatchObject({ languages: [{ code: 'en' }, { code: 'ko' }] });
  });

  it('joins what is said between two commits as its language is written', () => {
    const said = (text: string, endMs: number): ItemsInput => ({
      ...INPUTS.final,
      utteranceId: `utt_${endMs}`,
      endMs,
      text,
      language: 'ja',
    });
    const [, told] = run(noItems(false), [
      said('はい', 1000),
      said('そうです', 2000),
      INPUTS.commit,
      INPUTS.settled,
    ]);
    expect(told.map(brief).slice(3)).toEqual([
      'delta item_c はいそうです',
      'completed item_c はいそうです 2.5',
    ]);
  });

  it('takes what begins a little before a clear and ends after it for what came after', () => {
    const late = { utteranceId: 'utt_b', startMs: 2300, endMs: 3500 };
    const [, told] = run(noItems(true), [
      INPUTS.clear,
      { kind: 'started', ...late },
      { kind: 'final', ...late, text: 'now', language: 'en' },
    ]);
    expect(told.map(brief).slice(1, 3)).toEqual(['started item_b 2500', 'stopped item_b 3500']);
  });

  const utterance = fc.record({
    lengthMs: fc.integer({ min: 1, max: 500 }),
    partials: fc.integer({ min: 0, max: 3 }),
    isSuppressed: fc.boolean(),
  });
  /** What a client does, and what is said meanwhile; `heard` of it is told of after the client did so much. */
  const happening = fc.oneof(
    { weight: 4, arbitrary: fc.record({ said: utterance }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('commit', 'clear'), heard: fc.nat(8) }) },
  );
  const switched = fc.record({ does: fc.constantFrom('on', 'off'), heard: fc.nat(8) });
  type Happening =
    | { said: { lengthMs: number; partials: number; isSuppressed: boolean } }
    | { does: string; heard: number };

  const saying = { said: { lengthMs: 1, partials: 1, isSuppressed: false } };

  /** The inputs that come of it, and what each item that the client commits should have been. */
  function inputsOf(happenings: readonly Happening[]) {
    const inputs: ItemsInput[] = [];
    const waiting: ItemsInput[] = [];
    const expected: [string, string][] = [];
    let texts: string[] = [];
    let atMs = 0;
    const act = (does: string, itemId: string) => {
      if (does === 'clear') inputs.push({ kind: 'clear', atMs });
      else if (does !== 'commit') inputs.push({ kind: 'detection', isOn: does === 'on', itemId, atMs });
      else {
        inputs.push({ kind: 'commit', itemId, atMs });
        waiting.push({ kind: 'settled' });
        expected.push([itemId, texts.join(' ')]);
      }
      texts = [];
    };
    happenings.forEach((one, at) => {
      if ('does' in one) {
        act(one.does, `item_${at}`);
        inputs.push(...waiting.splice(0, one.heard));
        return;
      }
      const { lengthMs, partials, isSuppressed } = one.said;
      const span = { utteranceId: `utt_${at}`, startMs: atMs, endMs: atMs + lengthMs };
      atMs = span.endMs;
      const words = [`one${at}`, ' two', ' three'].slice(0, partials);
      const text = [...words, partials === 0 ? `end${at}` : ' end'].join('');
      waiting.push(
        { kind: 'started', ...span },
        ...words.map(
          (_, upTo): ItemsInput => ({ kind: 'partial', ...span, stable: words.slice(0, upTo + 1).join('') }),
        ),
        isSuppressed ? { kind: 'suppressed', ...span } : { kind: 'final', ...span, text, language: 'en' },
      );
      if (!isSuppressed) texts.push(text);
    });
    act('commit', 'item_last');
    return { inputs: [...inputs, ...waiting], expected };
  }

  const named = (told: readonly ServerEvent[], type: string) =>
    told.filter((event) => event.type.endsWith(type)) as unknown as {
      item_id: string;
      delta: string;
      transcript: string;
      previous_item_id: string | null;
    }[];

  it('leaves no item hanging, and its deltas are its transcript, whatever happens', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.oneof(happening, switched), { maxLength: 30 }),
        (detects, happenings) => {
          const [, told] = run(noItems(detects), inputsOf(happenings).inputs);
          const made = named(told, '.committed').map(({ item_id }) => item_id);
          const ended = [...named(told, '.completed'), ...named(told, '.failed')].map(
            ({ item_id }) => item_id,
          );
          expect(new Set(ended).size).toBe(ended.length);
          expect(ended).toEqual(expect.arrayContaining(made));
          expect(ended).toEqual(expect.arrayContaining(named(told, '.delta').map(({ item_id }) => item_id)));
          for (const { item_id, transcript } of named(told, '.completed')) {
            const deltas = named(told, '.delta').filter((delta) => delta.item_id === item_id);
            expect(deltas.map(({ delta }) => delta).join('')).toBe(transcript);
          }
          const previous = named(told, '.committed').map(({ previous_item_id }) => previous_item_id);
          expect(previous).toEqual([null, ...made].slice(0, made.length));
        },
      ),
      {
        numRuns: 1000,
        // Cleared while it is not known whether it was said before a commit.
        examples: [
          [
            true,
            [saying, { does: 'commit', heard: 1 }, { does: 'on', heard: 1 }, { does: 'clear', heard: 0 }],
          ],
          [
            true,
            [
              saying,
              saying,
              { does: 'commit', heard: 4 },
              { does: 'on', heard: 1 },
              { does: 'clear', heard: 0 },
            ],
          ],
        ],
      },
    );
  });

  it('has in each item what was said between two marks, however late it is heard', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 30 }), (happenings) => {
        const { inputs, expected } = inputsOf(happenings);
        const [, told] = run(noItems(false), inputs);
        expect(named(told, '.completed').map(({ item_id, transcript }) => [item_id, transcript])).toEqual(
          expected,
        );
      }),
    );
  });

  it('are named after the utterances they are', () => {
    expect(itemIdOf('utt_01abc')).toBe('item_01abc');
  });
});
