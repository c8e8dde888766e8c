/**
 * One channel's events as Deepgram's messages: a pure state machine. Every utterance becomes one final result, immutable
 * as its event is; partials become interim ones. Silence gives no results: only where `Finalize` asks is there an empty
 * one.
 */
import type { SessionEvent } from '../../domain/event.ts';
import type { Alternative, ChannelIndex, ChannelMessage, Results, ResultsMetadata } from './messages.ts';
import { alternativeOf, wordsOf } from './transcript.ts';

/** An utterance that is over: its text, or that there is none. */
type Told = Extract<SessionEvent, { type: 'transcript.final' | 'transcript.suppressed' }>;

/** What happens on a channel. */
export type ChannelInput =
  | { readonly kind: 'event'; readonly event: SessionEvent }
  /** The client sent `Finalize` behind so much audio. */
  | { readonly kind: 'finalize'; readonly atMs: number }
  /** All that was said before a `Finalize` is in events up to this seq, and they were given. */
  | { readonly kind: 'finalized'; readonly seq: number }
  /** What was said up to there is in events that were given. */
  | { readonly kind: 'settled'; readonly untilMs: number };

export interface ChannelState {
  /** Where `Finalize` was sent and has not been answered. */
  readonly finalizes: readonly number[];
  /** Finals that wait for the answer, as one of them may be it. */
  readonly held: readonly Told[];
  /** Where the last utterance began; null before the first. */
  readonly begunMs: number | null;
  /** Where the last word ended; null where that has been told, or there was none. */
  readonly lastWordMs: number | null;
  /** How far it is known who spoke. */
  readonly settledMs: number;
}

export const SILENT: ChannelState = {
  finalizes: [],
  held: [],
  begunMs: null,
  lastWordMs: null,
  settledMs: 0,
};

/** What a channel is told with. */
export interface ChannelManner {
  readonly index: ChannelIndex;
  readonly metadata: ResultsMetadata;
  readonly isPlain: boolean;
  readonly interimResults: boolean;
  readonly vadEvents: boolean;
  readonly utteranceEndMs: number | null;
  readonly hasEndpoints: boolean;
  /** Whether the language is to be found out. */
  readonly tellsLanguage: boolean;
  /** The pause that ends an utterance. */
  readonly pauseMs: number;
  /** The longest an utterance may get. */
  readonly maxUtteranceMs: number;
}

export type ChannelStep = readonly [ChannelState, readonly ChannelMessage[]];

/** Speech that gets too long is cut in the last part of what it may last. */
const CUT_WITHIN_MS = 4000;

/** So much of the pause that ends an utterance lies before its end, or is foreseen (speech/endpointing.ts). */
const PAUSE_BEFORE_END_MS = 288;

/** The state after `input`, and what is to be said. */
export function step(state: ChannelState, input: ChannelInput, manner: ChannelManner): ChannelStep {
  switch (input.kind) {
    case 'event':
      return onEvent(state, input.event, manner);
    case 'finalize':
      return [{ ...state, finalizes: [...state.finalizes, input.atMs] }, []];
    case 'finalized':
      return onFinalized(state, input.seq, manner);
    case 'settled':
      return onSettled(state, input.untilMs, manner);
  }
}

function onEvent(state: ChannelState, event: SessionEvent, manner: ChannelManner): ChannelStep {
  switch (event.type) {
    case 'speech.started': {
      const { index: channel, vadEvents } = manner;
      const timestamp = event.startMs / 1000;
      const begun = { ...state, begunMs: event.startMs };
      return [begun, vadEvents ? [{ type: 'SpeechStarted', channel, timestamp }] : []];
    }
    case 'transcript.partial':
      return [state, manner.interimResults ? [interim(event, manner)] : []];
    case 'transcript.final':
    case 'transcript.suppressed':
      if (state.finalizes.length > 0) return [{ ...state, held: [...state.held, event] }, []];
      return tell(state, [event], null, manner);
    case 'session.done':
    case 'session.failed': {
      const [told, finals] = tell({ ...state, held: [] }, state.held, null, manner);
      const [after, end] = onSettled(told, event.receipt.receivedMs, manner);
      return [after, [...finals, ...end]];
    }
    case 'session.started':
    case 'session.progress':
    case 'session.sent':
    case 'llm.token':
    case 'llm.done':
    case 'llm.failed':
      return [state, []];
  }
}

/** The last final before a `Finalize` says that it is; where nothing was said, an empty result does. */
function onFinalized(state: ChannelState, seq: number, manner: ChannelManner): ChannelStep {
  const [atMs = 0, ...finalizes] = state.finalizes;
  const flushed = state.held.filter((event) => event.seq <= seq);
  const later = state.held.slice(flushed.length);
  const last = flushed.pop();
  const [before, messages] = tell(
    { ...state, finalizes, held: finalizes.length > 0 ? later : [] },
    flushed,
    null,
    manner,
  );
  const [after, answer] = last ? tell(before, [last], atMs, manner) : [before, [empty(before, manner)]];
  const [now, rest] = finalizes.length > 0 ? ([after, []] as const) : tell(after, later, null, manner);
  return [now, [...messages, ...answer, ...rest]];
}

/** Once nobody has spoken for long enough since the last word. */
function onSettled(state: ChannelState, untilMs: number, manner: ChannelManner): ChannelStep {
  // What waits may have a later word.
  if (state.held.length > 0) return [state, []];
  const settled = { ...state, settledMs: Math.max(state.settledMs, untilMs) };
  return utteranceEnd(settled, settled.settledMs, manner);
}

function utteranceEnd(state: ChannelState, silentUntilMs: number, manner: ChannelManner): ChannelStep {
  const { lastWordMs } = state;
  const { utteranceEndMs, index: channel } = manner;
  if (utteranceEndMs === null || lastWordMs === null || silentUntilMs - lastWordMs < utteranceEndMs)
    return [state, []];
  return [
    { ...state, lastWordMs: null },
    [{ type: 'UtteranceEnd', channel, last_word_end: lastWordMs / 1000 }],
  ];
}

/** @param answers Where the `Finalize` was that the events answer; null for none. */
function tell(
  state: ChannelState,
  events: readonly Told[],
  answers: number | null,
  manner: ChannelManner,
): ChannelStep {
  let now = state;
  const messages: ChannelMessage[] = [];
  for (const event of events) {
    if (event.type === 'transcript.final') {
      const words = wordsOf(event, manner.isPlain);
      // In whole milliseconds, as they came.
      const at = (seconds: number | undefined, otherwise: number) =>
        seconds === undefined ? otherwise : Math.round(seconds * 1000);
      const [gone, end] = utteranceEnd(now, at(words[0]?.start, event.startMs), manner);
      messages.push(...end);
      now = { ...gone, lastWordMs: at(words.at(-1)?.end, event.endMs) };
    }
    messages.push(final(event, state.begunMs, answers, manner));
    now = { ...now, settledMs: Math.max(now.settledMs, event.endMs) };
  }
  return [now, messages];
}

/** @param answers Where the `Finalize` was that it answers; null for none. */
function final(event: Told, begunMs: number | null, answers: number | null, manner: ChannelManner): Results {
  const { hasEndpoints, maxUtteranceMs, pauseMs } = manner;
  const isCut = begunMs === event.endMs && event.endMs - event.startMs >= maxUtteranceMs - CUT_WITHIN_MS;
  // Whether the speaker had paused by then, or was interrupted.
  const hasPaused = answers === null || answers - event.endMs >= Math.max(1, pauseMs - PAUSE_BEFORE_END_MS);
  return {
    ...results(event, alternativeOfTold(event, manner), manner),
    is_final: true,
    speech_final: hasEndpoints && !isCut && hasPaused,
    from_finalize: answers !== null,
  };
}

function alternativeOfTold(event: Told, { isPlain, tellsLanguage }: ChannelManner): Alternative {
  // What a guard withheld is no transcript; that somebody spoke is told all the same.
  if (event.type === 'transcript.suppressed') return NOTHING_SAID;
  return { ...alternativeOf(event, isPlain), ...(tellsLanguage && { languages: [event.language] }) };
}

/** Where words are that are not final is not known; they share the time there is. */
function interim(
  event: Extract<SessionEvent, { type: 'transcript.partial' }>,
  manner: ChannelManner,
): Results {
  return results(event, alternativeOf({ ...event, confidence: null }, manner.isPlain), manner);
}

function empty(state: ChannelState, manner: ChannelManner): Results {
  const span = { startMs: state.settledMs, endMs: state.settledMs };
  return { ...results(span, NOTHING_SAID, manner), is_final: true, from_finalize: true };
}

const NOTHING_SAID: Alternative = { transcript: '', confidence: 0, words: [] };

const results = (
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  alternative: Alternative,
  { index, metadata }: ChannelManner,
): Results => ({
  type: 'Results',
  channel_index: index,
  start: startMs / 1000,
  duration: (endMs - startMs) / 1000,
  is_final: false,
  speech_final: false,
  from_finalize: false,
  channel: { alternatives: [alternative] },
  metadata,
});
