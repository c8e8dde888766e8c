/**
 * What a live session would show of a sound: the pipeline with a session's own settings, in this process, as fast
 * as it will go. Sound waits until everything asked of the recogniser is answered, so the same partials are made
 * as on a machine that has nothing else to do.
 */
import type { IdPrefix, NewId } from '../../src/domain/ids.ts';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import { SAMPLE_RATE_HZ, samples } from '../../src/domain/time.ts';
import { pipeline, pipelineSettings } from '../../src/session/pipeline.ts';
import type { VoiceActivityDetector } from '../../src/speech/vad.ts';
import type { Recogniser } from '../../src/whisper/recognition.ts';
import { PIECE_SAMPLES, type Sound } from './sound.ts';

/** A text that was shown or withheld, and where in the sound. */
export interface Invention {
  readonly kind: 'partial' | 'final' | 'suppressed';
  readonly startMs: number;
  readonly text: string;
  /** Null where it was shown. */
  readonly reason: string | null;
}

export interface Listening {
  readonly seconds: number;
  /** Utterances that voice activity found. */
  readonly utterances: number;
  readonly inventions: readonly Invention[];
}

/** Words as Unicode divides them, also where no spaces stand between them. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
export const wordCount = (text: string): number =>
  [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).length;

/**
 * Plays `seconds` of a sound to a session.
 * @param tell How many seconds have been heard.
 */
export async function listen(
  sound: Sound,
  seconds: number,
  vad: VoiceActivityDetector,
  recogniser: Recogniser,
  tell: (seconds: number) => void,
): Promise<Listening> {
  const asked = new Set<Promise<void>>();
  const counted: Recogniser = {
    ...recogniser,
    recognise(request, signal) {
      const answer = recogniser.recognise(request, signal);
      const over: Promise<void> = answer.catch(() => {}).then(() => void asked.delete(over));
      asked.add(over);
      return answer;
    },
  };
  async function* frames() {
    for (let at = 0; at < seconds * SAMPLE_RATE_HZ; at += PIECE_SAMPLES) {
      yield sound.next().value;
      while (asked.size > 0) await Promise.all(asked);
      tell(at / SAMPLE_RATE_HZ);
    }
  }
  let ids = 0;
  const newId: NewId = (prefix: IdPrefix) => `${prefix}_${++ids}`;
  const settings = pipelineSettings(DEFAULT_OPTIONS, 'live', samples(0), 1);
  const outputs = pipeline(
    frames(),
    { vad, recogniser: counted, newId },
    settings,
    new AbortController().signal,
  );

  let utterances = 0;
  const inventions: Invention[] = [];
  /** The most that was shown of each utterance while it was open. */
  const shown = new Map<string, Invention>();
  for await (const output of outputs) {
    if (output.kind !== 'event') continue;
    const { draft } = output;
    if (draft.type === 'speech.started') utterances++;
    if (draft.type === 'transcript.partial') {
      const { utteranceId, startMs, text } = draft;
      if (wordCount(text) > wordCount(shown.get(utteranceId)?.text ?? ''))
        shown.set(utteranceId, { kind: 'partial', startMs, text, reason: null });
    }
    if (draft.type === 'transcript.final')
      inventions.push({ kind: 'final', startMs: draft.startMs, text: draft.text, reason: null });
    if (draft.type === 'transcript.suppressed')
      inventions.push({ kind: 'suppressed', startMs: draft.startMs, text: draft.text, reason: draft.reason });
  }
  return { seconds, utterances, inventions: [...shown.values(), ...inventions] };
}
