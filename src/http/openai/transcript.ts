/** A finished session as an answer of OpenAI's audio endpoints. */
import { joinText, type Session, type Utterance } from '../../domain/session.ts';
import { compressionRatio } from '../../whisper/guards.ts';
import { CONTENT_TYPES, renderTranscript } from '../transcript.ts';
import type { Wishes } from './audio-fields.ts';
import { languageNameOf } from './language-names.ts';

/** What is counted of a request: the length of its audio, in seconds. */
export const usageOf = (durationMs: number) => ({ type: 'duration', seconds: durationMs / 1000 }) as const;

/** An answer, ready to be sent. */
export interface Answer {
  readonly contentType: string;
  readonly body: string;
}

const json = (body: object): Answer => ({ contentType: CONTENT_TYPES.json, body: JSON.stringify(body) });

/** The answer that was asked for. */
export function answerOf(session: Session, wishes: Wishes): Answer {
  const { text } = session;
  const usage = usageOf(session.audio.durationMs ?? 0);
  switch (wishes.format) {
    case 'json':
      return json({ text, usage });
    case 'verbose_json':
      return json({ ...verbose(session, wishes), usage });
    case 'text':
      return { contentType: CONTENT_TYPES.text, body: `${text}\n` };
    case 'srt':
    case 'vtt':
      return { contentType: CONTENT_TYPES[wishes.format], body: renderTranscript(session, wishes.format) };
  }
}

function verbose({ language, audio, text, utterances }: Session, { task, words, segments }: Wishes): object {
  return {
    task,
    language: languageNameOf(task === 'translate' ? 'en' : language),
    duration: (audio.durationMs ?? 0) / 1000,
    text,
    ...(words && { words: utterances.flatMap(wordsOf) }),
    ...(segments && { segments: segmentsOf(utterances, task) }),
  };
}

const wordsOf = ({ words }: Utterance): object[] =>
  (words ?? []).map(({ text, startMs, endMs }) => ({
    word: text,
    start: startMs / 1000,
    end: endMs / 1000,
  }));

/** A segment for each utterance; their texts one after the other are the whole text. */
function segmentsOf(utterances: readonly Utterance[], task: Wishes['task']): object[] {
  let text = '';
  return utterances.map((utterance, id) => {
    const before = text.length;
    text = joinText([{ text, language: '' }, utterance], task);
    return {
      id,
      // Each utterance is a window of its own, counted as Whisper counts them: in steps of 10 ms.
      seek: Math.round(utterance.startMs / 10),
      start: utterance.startMs / 1000,
      end: utterance.endMs / 1000,
      text: text.slice(before),
      tokens: [],
      temperature: 0,
      // Of no confidence at all nothing can be told but that it is not known.
      avg_logprob: utterance.confidence ? Math.log(utterance.confidence) : 0,
      compression_ratio: compressionRatio(utterance.text),
      no_speech_prob: 0,
    };
  });
}
