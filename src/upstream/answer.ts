/** What an endpoint answered, as what was heard. */
import * as z from 'zod';
import type { Word } from '../domain/event.ts';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import { suppressionOf, tokenCeiling } from '../whisper/guards.ts';
import { type Recognition, type RecognitionRequest, UNDETERMINED } from '../whisper/recognition.ts';
import { languageCodeOf } from './languages.ts';

/**
 * The part of an answer that is read, in whichever form; servers add and leave out the rest. `probability` of a
 * word is what servers around faster-whisper add.
 */
export const answerSchema = z.object({
  text: z.string(),
  language: z.string().nullish(),
  segments: z
    .array(
      z.object({
        tokens: z.array(z.number()).nullish(),
        avg_logprob: z.number().nullish(),
        no_speech_prob: z.number().nullish(),
      }),
    )
    .nullish(),
  words: z
    .array(
      z.object({ word: z.string(), start: z.number(), end: z.number(), probability: z.number().nullish() }),
    )
    .nullish(),
  logprobs: z.array(z.object({ logprob: z.number() })).nullish(),
});

export type Answer = z.output<typeof answerSchema>;

/**
 * Reads an answer. The guards of our own recogniser hold for it, as far as it says what they look at; where it
 * does not, it counts as sure of itself.
 */
export function recognitionOf(answer: Answer, request: RecognitionRequest): Recognition {
  const seconds = request.audio.length / SAMPLE_RATE_HZ;
  // Marks alone are what is written where nothing was said.
  const text = /[\p{L}\p{N}]/u.test(answer.text) ? answer.text.trim() : '';
  const meanLogProbability = meanLogProbabilityOf(answer);
  const tokens = (answer.segments ?? []).reduce((sum, segment) => sum + (segment.tokens?.length ?? 0), 0);
  // Of a translation some tell the language that was spoken, others that of the text.
  const told = request.task === 'translate' ? null : languageCodeOf(answer.language ?? '');
  const language = request.language ?? told ?? UNDETERMINED;
  const mayFlip = request.language === null && language !== UNDETERMINED;
  const suppressed = suppressionOf({
    text,
    stop: tokens > tokenCeiling(seconds) ? 'too_many_tokens' : 'end',
    meanLogProbability: meanLogProbability ?? 0,
    noSpeechProbability: noSpeechProbabilityOf(answer),
    seconds,
    language,
    likelyLanguage: mayFlip ? request.likelyLanguage : null,
  });
  const isShown = text !== '' && suppressed === null;
  const words = request.words && answer.words ? wordsOf(answer.words, 1000 * seconds) : null;
  return {
    text,
    language,
    // The geometric mean of what our own recogniser gives the arithmetic one of: an answer has no more.
    confidence: meanLogProbability === null ? null : Math.min(1, Math.exp(meanLogProbability)),
    words: words && !isShown ? [] : words,
    tokens: [],
    suppressed,
  };
}

/** Over all tokens of the text; null where nothing is said of them. */
function meanLogProbabilityOf({ segments, logprobs }: Answer): number | null {
  const parts = [
    ...(segments ?? []).map(({ avg_logprob, tokens }) => ({
      mean: avg_logprob,
      weight: tokens?.length || 1,
    })),
    ...(logprobs ?? []).map(({ logprob }) => ({ mean: logprob, weight: 1 })),
  ].flatMap(({ mean, weight }) => (typeof mean === 'number' ? [{ mean, weight }] : []));
  const weights = parts.reduce((sum, { weight }) => sum + weight, 0);
  return weights === 0 ? null : parts.reduce((sum, { mean, weight }) => sum + mean * weight, 0) / weights;
}

/** Of the segment that is surest to be speech; 0 where nothing is said of it. */
function noSpeechProbabilityOf({ segments }: Answer): number {
  const given = (segments ?? []).flatMap(({ no_speech_prob }) =>
    typeof no_speech_prob === 'number' ? [no_speech_prob] : [],
  );
  return given.length === 0 ? 0 : Math.min(...given);
}

/** In the order they came: none begins before the one ahead of it, ends before it begins, or leaves the audio. */
function wordsOf(words: NonNullable<Answer['words']>, audioMs: number): Word[] {
  let after = 0;
  return words.flatMap(({ word, start, end, probability }) => {
    const text = word.trim();
    if (text === '') return [];
    const startMs = Math.min(Math.floor(audioMs), Math.max(after, Math.round(1000 * start)));
    const endMs = Math.min(Math.floor(audioMs), Math.max(startMs, Math.round(1000 * end)));
    after = startMs;
    const sure = typeof probability === 'number' ? Math.min(1, Math.max(0, probability)) : null;
    return [{ text, startMs, endMs, confidence: sure }];
  });
}
