/** The answer to a recording, in Deepgram's shape: made of the sessions that heard its channels. */
import type { Word as OurWord } from '../../domain/event.ts';
import { joinText, type Session, type Utterance } from '../../domain/session.ts';
import { aboutOf } from './about.ts';
import type { About, Alternative, Word } from './messages.ts';
import { plain, spread, wordsOf } from './transcript.ts';
import { uuidOf } from './uuid.ts';

/** What the answer depends on beside what was heard. Kept as JSON where it is sent to a callback. */
export interface AnswerWishes {
  readonly requestId: string;
  /** Of the recording, in hexadecimal. */
  readonly sha256: string;
  readonly isPlain: boolean;
  readonly detectLanguage: boolean;
  readonly utterances: boolean;
  /** The pause between words at which an utterance ends. */
  readonly uttSplitMs: number;
  readonly tags: readonly string[];
  readonly extra: Readonly<Record<string, string>>;
}

export interface ChannelAnswer {
  readonly alternatives: readonly [Alternative];
  readonly detected_language?: string;
}

/** Words that follow each other without a longer pause. */
export interface UtteranceAnswer {
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  readonly channel: number;
  readonly transcript: string;
  readonly words: readonly Word[];
  readonly id: string;
}

export interface Answer {
  readonly metadata: About;
  readonly results: {
    readonly channels: readonly ChannelAnswer[];
    readonly utterances?: readonly UtteranceAnswer[];
  };
}

/** @param sessions One for each channel, in their order; all have ended well. */
export function answerOf(sessions: readonly Session[], wishes: AnswerWishes): Answer {
  const [first] = sessions as [Session];
  const durationMs = Math.max(...sessions.map(({ audio }) => audio.durationMs ?? 0));
  const { model, createdAt } = first;
  return {
    metadata: aboutOf({ ...wishes, model, createdAt, durationMs, channels: sessions.length }),
    results: {
      channels: sessions.map((session) => channelOf(session, wishes)),
      ...(wishes.utterances && { utterances: utterancesOf(sessions, wishes) }),
    },
  };
}

/** What is sent to a callback: the answer, or of what the recording failed. */
export function callbackBodyOf(session: Session, asked: unknown): object {
  // As it was stored by ourselves.
  const wishes = asked as AnswerWishes;
  if (!session.error) return answerOf([session], wishes);
  const { code, message } = session.error;
  return { err_code: code.toUpperCase(), err_msg: message, request_id: wishes.requestId };
}

function channelOf(session: Session, { isPlain, detectLanguage }: AnswerWishes): ChannelAnswer {
  const { text, utterances, language } = session;
  const alternative: Alternative = {
    transcript: isPlain && text !== '' ? plain(text) : text,
    confidence: meanOf(utterances.map(({ confidence, text }) => [confidence ?? 0, text.length])),
    words: utterances.flatMap((utterance) => wordsOf(utterance, isPlain)),
  };
  return { alternatives: [alternative], ...(detectLanguage && { detected_language: language }) };
}

/** A word with the language of what it was said in. */
type SpokenWord = OurWord & { readonly language: string };

function utterancesOf(sessions: readonly Session[], wishes: AnswerWishes): UtteranceAnswer[] {
  const all = sessions.flatMap((session, channel) =>
    split(session.utterances.flatMap(spokenWords), wishes.uttSplitMs).map((words, index) =>
      utteranceOf(words, channel, `${wishes.requestId} ${channel} ${index}`, wishes),
    ),
  );
  return all.sort((a, b) => a.start - b.start);
}

function spokenWords(utterance: Utterance): SpokenWord[] {
  const words = utterance.words ?? spread(utterance);
  return words.map((word) => ({ ...word, language: utterance.language }));
}

/** Into stretches without a pause of `pauseMs` between two words. */
function split(words: readonly SpokenWord[], pauseMs: number): SpokenWord[][] {
  const stretches: SpokenWord[][] = [];
  let before: SpokenWord | null = null;
  for (const word of words) {
    if (before === null || word.startMs - before.endMs >= pauseMs) stretches.push([word]);
    else stretches.at(-1)!.push(word);
    before = word;
  }
  return stretches;
}

function utteranceOf(
  words: readonly SpokenWord[],
  channel: number,
  name: string,
  { isPlain }: AnswerWishes,
): UtteranceAnswer {
  const [startMs, endMs] = [words[0]!.startMs, words.at(-1)!.endMs];
  const text = joinText(words);
  return {
    start: startMs / 1000,
    end: endMs / 1000,
    confidence: meanOf(words.map(({ confidence }) => [confidence ?? 0, 1])),
    channel,
    transcript: isPlain ? plain(text) : text,
    words: wordsOf({ text, startMs, endMs, confidence: null, words }, isPlain),
    id: uuidOf(name),
  };
}

/** 0 where there is nothing to take the mean of. */
function meanOf(weighted: readonly (readonly [value: number, weight: number])[]): number {
  const weight = weighted.reduce((sum, [, each]) => sum + each, 0);
  return weight === 0 ? 0 : weighted.reduce((sum, [value, each]) => sum + value * each, 0) / weight;
}
