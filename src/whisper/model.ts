/** One loaded Whisper on the current thread: audio in, words out. */
import { readFile } from 'node:fs/promises';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import type { Random } from '../flow/chance.ts';
import { type Decoding, decode } from './decoding.ts';
import { EncoderMemories, EncoderMemory } from './encoder-memory.ts';
import { framesOf, POSITIONS_PER_SECOND } from './encoder-window.ts';
import { type CompiledGraphs, memoryNames } from './graph/contract.ts';
import { type Evidence, suppressionOf } from './guards.ts';
import type { Recognition, RecognitionRequest } from './recognition.ts';
import { drawn } from './sampling.ts';
import { UNSPACED_SCRIPTS } from './scripts.ts';
import { firstToPass } from './second-pass.ts';
import { type EncodedWindow, openSessions } from './sessions.ts';
import { WhisperTokenizer } from './tokens.ts';
import type { WhisperConfig } from './weights/config.ts';
import { wordTimes } from './word-times.ts';

/** All that a thread needs to load a model; plain data. */
export interface ModelPlan {
  readonly config: WhisperConfig;
  readonly tokenizerPath: string;
  readonly graphs: CompiledGraphs;
}

/** What was heard, and what the model says of it. */
export interface Transcription extends Recognition {
  /** How sure the language is, 0–1; 1 where it was given. */
  readonly languageProbability: number;
  /** How much it sounds like no speech at all, 0–1. */
  readonly noSpeechProbability: number;
  /** Mean natural logarithm of the chosen tokens' probabilities. */
  readonly meanLogProbability: number;
}

export interface WhisperModel {
  /**
   * Recognises one window.
   * @throws RangeError beyond 30 s or for an unknown language; the signal's reason when aborted.
   */
  transcribe(request: RecognitionRequest, signal?: AbortSignal): Promise<Transcription>;
  release(): Promise<void>;
}

/** What a thread keeps of the utterances that are being spoken: some 5 MB a second of each with base. */
export const MEMORY_BYTES = 80 * 2 ** 20;

/**
 * Tokens of a hypothesis that the decoder chose by listening to the last so much sound are left out: most of them
 * change with the next one. At 0.1 s they come back 0.63 times a word instead of 1.13, at 0.5 s 0.42 times, but
 * the first text a third of a second later.
 */
const TOO_NEW_SECONDS = 0.1;

/**
 * Loads a model; takes some hundred milliseconds of this thread.
 * @param newRandom Chance for one request: the same again each time, so that the same audio gives the same text.
 */
export async function openModel(
  { config, tokenizerPath, graphs }: ModelPlan,
  newRandom: () => Random,
): Promise<WhisperModel> {
  const [sessions, tokenizerJson] = await Promise.all([
    openSessions(graphs, config),
    readFile(tokenizerPath, 'utf8'),
  ]);
  const tokenizer = new WhisperTokenizer(JSON.parse(tokenizerJson), config.tokens.endOfText);

  const memory = () => new EncoderMemory(config, memoryNames(config).length);
  const memories = new EncoderMemories(MEMORY_BYTES, memory);

  /** Encodes a request's audio, as far as it was not encoded for an earlier request of its utterance. */
  const encode = async ({ audio, utterance, urgency }: RecognitionRequest): Promise<EncodedWindow> => {
    const known = utterance === null ? memory() : memories.of(utterance);
    const seconds = audio.length / SAMPLE_RATE_HZ;
    const goesOn = urgency === 'partial';
    const window = known.window(seconds, goesOn ? 'quick' : 'thorough');
    const { from, to } = framesOf(window);
    const mel = known.features(audio).features(to, from);
    const encoded = await sessions.encode({ mel, window, past: known.past(window), goesOn });
    if (goesOn) known.keep(window, encoded.fresh, seconds);
    return encoded;
  };

  const hear = async (
    request: RecognitionRequest,
    { pass, attend, listenedAt }: EncodedWindow,
    signal: AbortSignal,
  ): Promise<Transcription> => {
    const { audio, language, task = 'transcribe', prompt, prefix, draft, urgency } = request;
    const likelyLanguage = language === null ? request.likelyLanguage : null;
    const seconds = audio.length / SAMPLE_RATE_HZ;
    const settledUntil = POSITIONS_PER_SECOND * (seconds - TOO_NEW_SECONDS);
    const prefixTokens = prefix ? tokenizer.encode(asWritten(prefix)) : [];
    const asked = {
      language,
      task,
      likelyLanguage,
      seconds,
      prompt: prompt ? tokenizer.encode(asWritten(prompt)) : [],
      prefix: prefixTokens,
      draft,
      isTooNew: listenedAt && ((row: number) => listenedAt(row) >= settledUntil),
    };
    const judged = (decoding: Decoding) => {
      const rest = tokenizer.decode(decoding.tokens.slice(prefixTokens.length));
      const text = prefix ? joined(prefix, rest) : rest.trim();
      return { decoding, heard: transcriptionOf(text, decoding, { seconds, likelyLanguage }) };
    };
    const greedy = judged(await decode(pass, config, asked, signal));
    const random = newRandom();
    const { decoding, heard } = await firstToPass(greedy, urgency, async (temperature) => {
      const { language, languageProbability, noSpeechProbability, tokens } = greedy.decoding;
      const choose = (row: Float32Array, count: number) => drawn(row, count, temperature, random);
      const again = await decode(pass, config, { ...asked, language, draft: tokens }, signal, choose);
      return judged({ ...again, languageProbability, noSpeechProbability });
    });
    if (!request.words) return heard;
    if (heard.text === '' || heard.suppressed !== null) return { ...heard, words: [] };
    signal.throwIfAborted();
    const timing = { attend, config, tokenizer, task };
    return { ...heard, words: await wordTimes(timing, decoding, prefixTokens.length, audio) };
  };

  return {
    transcribe: async (request, signal = new AbortController().signal) => {
      const encoded = await encode(request);
      try {
        return await hear(request, encoded, signal);
      } finally {
        encoded.free();
        if (request.utterance !== null && request.urgency !== 'partial') memories.release(request.utterance);
      }
    },
    release: () => sessions.release(),
  };
}

function transcriptionOf(
  heard: string,
  decoding: Decoding,
  of: Pick<Evidence, 'seconds' | 'likelyLanguage'>,
): Transcription {
  const { logProbabilities, language, languageProbability, noSpeechProbability, stop } = decoding;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const meanLogProbability = mean(logProbabilities);
  // Marks alone, such as "." or "♪", are what Whisper writes where nothing was said.
  const text = /[\p{L}\p{N}]/u.test(heard) ? heard : '';
  return {
    text,
    language,
    confidence: mean(logProbabilities.map(Math.exp)),
    words: null,
    tokens: decoding.draft,
    suppressed: suppressionOf({ ...of, text, stop, meanLogProbability, noSpeechProbability, language }),
    languageProbability,
    noSpeechProbability,
    meanLogProbability,
  };
}

const asWritten = (text: string): string => {
  const trimmed = text.trim();
  return trimmed.search(UNSPACED_SCRIPTS) === 0 ? trimmed : ` ${trimmed}`;
};

const joined = (prefix: string, rest: string): string =>
  prefix + (/\s$/.test(prefix) ? rest.trim() : rest.trimEnd());
