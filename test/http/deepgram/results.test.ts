/** A channel's events as Deepgram's messages: every input in every state that matters, as a table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../../src/domain/event.ts';
import { EMPTY_TALLY, receiptOf } from '../../../src/domain/receipt.ts';
import { resultsMetadataOf } from '../../../src/http/deepgram/about.ts';
import type { ChannelMessage } from '../../../src/http/deepgram/messages.ts';
import {
  type ChannelInput,
  type ChannelManner,
  type ChannelState,
  SILENT,
  step,
} from '../../../src/http/deepgram/results.ts';

const MANNER: ChannelManner = {
  index: [0, 1],
  metadata: resultsMetadataOf('request', 'model'),
  isPlain: false,
  interimResults: true,
  vadEvents: true,
  utteranceEndMs: 1000,
  hasEndpoints: true,
  tellsLanguage: false,
  pauseMs: 500,
  maxUtteranceMs: 20_000,
};

const stamp = { sessionId: 'ses_1', at: '2026-01-01T00:00:00.000Z' };
const event = (given: SessionEvent): ChannelInput => ({ kind: 'event', event: given });
const started = (startMs: number) =>
  event({ type: 'speech.started', ...stamp, utteranceId: 'utt_1', startMs });
const partial = (startMs: number, endMs: number, text: string) =>
  event({ type: 'transcript.partial', ...stamp, utteranceId: 'utt_1', startMs, endMs, text, stableChars: 0 });
const final = (seq: number, startMs: number, endMs: number, text = 'Yes.') =>
  event({
    type: 'transcript.final',
    ...stamp,
    seq,
    utteranceId: 'utt_1',
    startMs,
    endMs,
    text,
    language: 'en',
    confidence: 0.5,
    words: [{ text, startMs: startMs + 100, endMs: endMs - 100, confidence: 0.5 }],
  });
const suppressed = (seq: number, startMs: number, endMs: number) =>
  event({
    type: 'transcript.suppressed',
    ...stamp,
    seq,
    utteranceId: 'utt_1',
    startMs,
    endMs,
    reason: 'no_speech',
    text: 'you',
  });
const receipt = (receivedMs: number) => receiptOf(EMPTY_TALLY, receivedMs, 9, 'client');
const done = (receivedMs: number) =>
  event({ type: 'session.done', ...stamp, seq: 9, receipt: receipt(receivedMs) });
const failed = (receivedMs: number) =>
  event({
    type: 'session.failed',
    ...stamp,
    seq: 9,
    error: { code: 'internal', message: '' },
    receipt: receipt(receivedMs),
  });
const settled = (untilMs: number): ChannelInput => ({ kind: 'settled', untilMs });
const finalized = (seq: number): ChannelInput => ({ kind: 'finalized', seq });
const FINALIZE: ChannelInput = { kind: 'finalize', atMs: 0 };

function run(inputs: readonly ChannelInput[], manner = MANNER) {
  let state: ChannelState = SILENT;
  const messages: ChannelMessage[] = [];
  for (const input of inputs) {
    const [next, said] = step(state, input, manner);
    state = next;
    messages.push(...said);
  }
  return { state, messages };
}

/** A message in a word or two. */
function brief(message: ChannelMessage): string {
  switch (message.type) {
    case 'SpeechStarted':
      return `started ${message.timestamp}`;
    case 'UtteranceEnd':
      return `end ${message.last_word_end}`;
    case 'Results': {
      const flags = [
        message.is_final ? 'final' : 'interim',
        message.speech_final && 'endpoint',
        message.from_finalize && 'answer',
      ];
      const text = message.channel.alternatives[0].transcript;
      return `${flags.filter(Boolean).join(' ')} ${message.start}+${message.duration} ${text}`.trim();
    }
  }
}
const said = (inputs: readonly ChannelInput[], manner = MANNER) => run(inputs, manner).messages.map(brief);

/** Where a channel may stand. */
const STATES = {
  silent: [],
  speaking: [started(0)],
  told: [started(0), final(2, 0, 2000)],
  finalizing: [started(0), FINALIZE],
  holding: [started(0), FINALIZE, final(2, 0, 2000)],
} as const satisfies Record<string, readonly ChannelInput[]>;

const INPUTS = {
  started: started(5000),
  partial: partial(5000, 6000, 'May be'),
  final: final(3, 5000, 7000, 'Later.'),
  suppressed: suppressed(3, 5000, 7000),
  finalize: FINALIZE,
  finalized: finalized(2),
  settled: settled(4000),
  done: done(4000),
  failed: failed(4000),
} as const satisfies Record<string, ChannelInput>;

/** What is said of each input in each state. */
const TABLE: Record<keyof typeof STATES, Record<keyof typeof INPUTS, readonly string[]>> = {
  silent: {
    started: ['started 5'],
    partial: ['interim 5+1 May be'],
    final: ['final endpoint 5+2 Later.'],
    suppressed: ['final endpoint 5+2'],
    finalize: [],
    finalized: ['final answer 0+0'],
    settled: [],
    done: [],
    failed: [],
  },
  speaking: {
    started: ['started 5'],
    partial: ['interim 5+1 May be'],
    final: ['final endpoint 5+2 Later.'],
    suppressed: ['final endpoint 5+2'],
    finalize: [],
    finalized: ['final answer 0+0'],
    settled: [],
    done: [],
    failed: [],
  },
  told: {
    started: ['started 5'],
    partial: ['interim 5+1 May be'],
    final: ['end 1.9', 'final endpoint 5+2 Later.'],
    suppressed: ['final endpoint 5+2'],
    finalize: [],
    finalized: ['final answer 2+0'],
    settled: ['end 1.9'],
    done: ['end 1.9'],
    failed: ['end 1.9'],
  },
  finalizing: {
    started: ['started 5'],
    partial: ['interim 5+1 May be'],
    final: [],
    suppressed: [],
    finalize: [],
    finalized: ['final answer 0+0'],
    settled: [],
    done: [],
    failed: [],
  },
  holding: {
    started: ['started 5'],
    partial: ['interim 5+1 May be'],
    final: [],
    suppressed: [],
    finalize: [],
    finalized: ['final answer 0+2 Yes.'],
    settled: [],
    done: ['final endpoint 0+2 Yes.', 'end 1.9'],
    failed: ['final endpoint 0+2 Yes.', 'end 1.9'],
  },
};

describe('a channel', () => {
  for (const [state, before] of Object.entries(STATES))
    for (const [name, input] of Object.entries(INPUTS))
      it(`says of ${name}, ${state}: ${JSON.stringify(TABLE[state as 'silent'][name as 'final'])}`, () => {
        expect(said([...before, input]).slice(said(before).length)).toEqual(
          TABLE[state as 'silent'][name as 'final'],
        );
      });

  it('answers Finalize with the last final before it, and not with one after it', () => {
    const inputs = [
      FINALIZE,
      final(2, 0, 500, 'One.'),
      final(3, 500, 900, 'Two.'),
      final(4, 1000, 1500, 'Three.'),
    ];
    expect(said([...inputs, finalized(3)])).toEqual([
      'final endpoint 0+0.5 One.',
      'final answer 0.5+0.4 Two.',
      'final endpoint 1+0.5 Three.',
    ]);
  });

  it.each([
    [2000, false],
    [2211, false],
    [2212, true],
    [9000, true],
  ])('knows of an answer at %i ms whether the speaker had paused: %s', (atMs, hasPaused) => {
    const { messages } = run([{ kind: 'finalize', atMs }, final(2, 0, 2000), finalized(2)]);
    expect(messages[0]).toMatchObject({ from_finalize: true, speech_final: hasPaused });
  });

  it('keeps what may answer the next Finalize', () => {
    const inputs = [FINALIZE, FINALIZE, final(2, 0, 500, 'One.'), final(3, 500, 900, 'Two.')];
    expect(said([...inputs, finalized(2)])).toEqual(['final answer 0+0.5 One.']);
    expect(said([...inputs, finalized(2), finalized(3)])).toEqual([
      'final answer 0+0.5 One.',
      'final answer 0.5+0.4 Two.',
    ]);
  });

  it('says of speech that was cut that it goes on', () => {
    const cut = [started(0), started(19_000), final(2, 0, 19_000)];
    expect(said(cut).at(-1)).toBe('final 0+19 Yes.');
    const short = [started(0), started(3000), final(2, 0, 3000)];
    expect(said(short).at(-1)).toBe('final endpoint 0+3 Yes.');
    const long = [started(0), started(19_100), final(2, 0, 19_000)];
    expect(said(long).at(-1)).toBe('final endpoint 0+19 Yes.');
  });

  it('says only what is asked for', () => {
    const inputs = [started(0), partial(0, 500, 'Y'), final(2, 0, 1000), settled(5000)];
    const off = { interimResults: false, vadEvents: false, utteranceEndMs: null, hasEndpoints: false };
    expect(said(inputs, { ...MANNER, ...off })).toEqual(['final 0+1 Yes.']);
  });

  it('tells of the end of an utterance once, and anew after the next', () => {
    const inputs = [final(2, 0, 1000), settled(1899), settled(1900), settled(9000), final(3, 9000, 9500)];
    expect(said([...inputs, settled(10_400)])).toEqual([
      'final endpoint 0+1 Yes.',
      'end 0.9',
      'final endpoint 9+0.5 Yes.',
      'end 9.4',
    ]);
  });

  it('names the language where that was left open', () => {
    const { messages } = run([final(2, 0, 1000)], { ...MANNER, tellsLanguage: true });
    expect(messages[0]).toMatchObject({ channel: { alternatives: [{ languages: ['en'] }] } });
  });

  it('tells every final once, in order, however often Finalize comes in between', () => {
    const kinds = fc.array(fc.constantFrom('final', 'finalize', 'answer', 'settled'), { maxLength: 40 });
    fc.assert(
      fc.property(kinds, (order) => {
        let seq = 1;
        let ms = 0;
        const waiting: number[] = [];
        const inputs: ChannelInput[] = [];
        for (const kind of order) {
          if (kind === 'final') inputs.push(final(++seq, ms, (ms += 400), `${seq}.`));
          else if (kind === 'settled') inputs.push(settled((ms += 2000)));
          else if (kind === 'finalize') {
            inputs.push(FINALIZE);
            waiting.push(seq);
          } else {
            const next = waiting.shift();
            if (next !== undefined) inputs.push(finalized(next));
          }
        }
        const { messages } = run([...inputs, done(ms)]);
        const finals = messages.flatMap((message) => (message.type === 'Results' ? [message] : []));
        const texts = finals
          .map(({ channel }) => channel.alternatives[0].transcript)
          .filter((text) => text !== '');
        expect(texts).toEqual(Array.from({ length: seq - 1 }, (_, at) => `${at + 2}.`));
        const answers = inputs.filter(({ kind }) => kind === 'finalized');
        expect(finals.filter(({ from_finalize }) => from_finalize)).toHaveLength(answers.length);
      }),
    );
  });
});
