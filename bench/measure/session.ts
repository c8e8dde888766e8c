/** What one live session was like for its speaker: delays against the sound, changes of what was shown, errors. */
import type { SessionEvent } from '../../src/domain/event.ts';
import type { Interval } from '../audio/activity.ts';
import type { Script } from '../audio/script.ts';
import { editsOf, type WordErrors, wordErrors, wordsOf } from './words.ts';

/** An event and when it came: milliseconds since the script began, so that sound and events share one clock. */
export interface Arrival {
  readonly atMs: number;
  readonly event: SessionEvent;
}

/** One final and what came before it. */
export interface UtteranceMeasures {
  /** From the beginning of the speech to the first text shown; null where none came before the final. */
  readonly firstPartialMs: number | null;
  /** From the end of the speech to the final. */
  readonly finalMs: number;
  /** Partials before the final. */
  readonly partials: number;
  /** From the end of the audio a partial speaks of to its arrival. */
  readonly partialAgesMs: readonly number[];
  /** Words shown that were changed afterwards, by later partials or by the final. */
  readonly edits: number;
  readonly finalWords: number;
}

export interface SessionMeasures {
  readonly utterances: readonly UtteranceMeasures[];
  /** The finals, joined. */
  readonly heard: string;
  readonly words: WordErrors;
  /** Finals where nobody spoke. */
  readonly invented: number;
}

type Final = Extract<SessionEvent, { type: 'transcript.final' }>;
type Partial = Extract<SessionEvent, { type: 'transcript.partial' }>;
type Timed<E> = { readonly atMs: number; readonly event: E };

/**
 * Measures a session against its script. A stretch of speech belongs to the last final that begins before its
 * middle, so that a gateway which cuts elsewhere than the speaker paused is still measured against the sound.
 */
export function measureSession(
  script: Pick<Script, 'speech' | 'text'>,
  arrivals: readonly Arrival[],
): SessionMeasures {
  const finals = arrivals.filter(isFinal).sort((a, b) => a.event.startMs - b.event.startMs);
  const utterances: UtteranceMeasures[] = [];
  let invented = 0;
  for (const [i, final] of finals.entries()) {
    const from = i === 0 ? Number.NEGATIVE_INFINITY : final.event.startMs;
    const until = finals[i + 1]?.event.startMs ?? Number.POSITIVE_INFINITY;
    const speech = script.speech.filter((interval) => middle(interval) >= from && middle(interval) < until);
    if (speech.length === 0) invented++;
    else utterances.push(measureUtterance(speech, final, arrivals));
  }
  const heard = finals.map(({ event }) => event.text).join(' ');
  return { utterances, heard, words: wordErrors(heard, script.text), invented };
}

function measureUtterance(
  speech: readonly Interval[],
  final: Timed<Final>,
  arrivals: readonly Arrival[],
): UtteranceMeasures {
  const partials = arrivals
    .filter(isPartial)
    .filter(({ event }) => event.utteranceId === final.event.utteranceId && event.text !== '');
  const shown = [...partials.map(({ event }) => event.text), final.event.text];
  const first = partials[0];
  return {
    firstPartialMs: first ? first.atMs - speech[0]!.startMs : null,
    finalMs: final.atMs - speech.at(-1)!.endMs,
    partials: partials.length,
    partialAgesMs: partials.map(({ atMs, event }) => atMs - event.endMs),
    edits: shown.slice(1).reduce((edits, text, i) => edits + editsOf(shown[i]!, text), 0),
    finalWords: wordsOf(final.event.text).length,
  };
}

const middle = ({ startMs, endMs }: Interval): number => (startMs + endMs) / 2;

const isFinal = (arrival: Arrival): arrival is Timed<Final> => arrival.event.type === 'transcript.final';
const isPartial = (arrival: Arrival): arrival is Timed<Partial> =>
  arrival.event.type === 'transcript.partial';
