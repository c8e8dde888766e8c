/**
 * Decoding of one encoded window, greedy unless told otherwise: what came before, the start tokens, the language where it is not
 * known, then token after token until the model, a guard or the context ends it.
 *
 *     <|startofprev|> prompt…  <|startoftranscript|> <|ko|> <|transcribe|> <|notimestamps|>  prefix… text…
 *
 * With `<|translate|>` in the place of `<|transcribe|>` the text comes in English, whatever the language.
 *
 * An earlier hypothesis of the same audio is taken as a draft: one pass gives the logits behind each of its
 * tokens, and those that are still the most probable need no pass of their own (speculative decoding with the
 * model as its own draft; Leviathan, Kalman, Matias 2022). The graphs are known here only as a function from
 * tokens to rows of logits; a pass from position n forgets all tokens from n on.
 */
import type { Task } from '../domain/options.ts';
import { Draft } from './draft.ts';
import { type DecodingStop, endsInLoop, tokenCeiling } from './guards.ts';
import { detectLanguage } from './language.ts';
import { type Choice, mostProbable, probabilityOf } from './logits.ts';
import type { WhisperConfig } from './weights/config.ts';

/**
 * Runs the decoder over `tokens`, the first of which stands at `position`; tokens of earlier passes before it
 * are kept, those from it on forgotten.
 * @param rows Which of the tokens' logits are wanted.
 * @returns One row of vocabulary size for each of `rows`, the caller's to change.
 */
export type DecoderPass = (
  tokens: readonly number[],
  position: number,
  rows: readonly number[],
) => Promise<readonly Float32Array[]>;

export interface DecodingRequest {
  /** A code the model knows; null to detect it. English-only models ignore it. */
  readonly language: string | null;
  /** `transcribe` where it is left out. */
  readonly task?: Task;
  /** The language to expect where it is to be detected; null for none. */
  readonly likelyLanguage: string | null;
  /** Tokens to take as having come before. Where prompt and prefix do not fit, first its beginning goes. */
  readonly prompt: readonly number[];
  /** Tokens the text begins with; the decoder sees the last ones where they are too many. */
  readonly prefix: readonly number[];
  /** What the text is expected to be, the prefix first; of no use where it does not begin with the prefix. */
  readonly draft: readonly number[];
  /**
   * Whether the decoder, when it chose the token behind one of the rows of the last pass, listened to sound so near
   * the end that more of it may change the choice: then that token is left out and decoding ends (AlignAtt;
   * Papi, Turchi, Negri 2023). Null to decode to the end.
   */
  readonly isTooNew: ((row: number) => boolean) | null;
  /** How much audio there is; sets the most tokens it can hold. */
  readonly seconds: number;
}

export interface Decoding {
  /** Text tokens, the prefix first. */
  readonly tokens: readonly number[];
  /** The same, and behind them the token that was too new: most often it comes next after all. */
  readonly draft: readonly number[];
  readonly stop: DecodingStop;
  readonly language: string;
  /** 0–1; 1 where the language was given. */
  readonly languageProbability: number;
  /** What the model gave `<|nospeech|>` before the first token, 0–1. */
  readonly noSpeechProbability: number;
  /** Natural logarithms of the probabilities of the chosen tokens: those after the prefix, and the end mark. */
  readonly logProbabilities: readonly number[];
}

/**
 * Decodes one window.
 * @param choose Chooses among the first `count` tokens of a row; the most probable one by default.
 * @throws The signal's reason, between two tokens, when aborted.
 */
export async function decode(
  pass: DecoderPass,
  config: WhisperConfig,
  request: DecodingRequest,
  signal: AbortSignal,
  choose: (row: Float32Array, count: number) => Choice = mostProbable,
): Promise<Decoding> {
  let fed = draftBehind(request);
  const started = await start(pass, config, request, fed, signal);
  const { language, languageProbability, noSpeechProbability, position } = started;
  let { rows, firstRow } = started;
  const draft = new Draft(fed);
  const hypothesis = new Hypothesis(request.prefix, request.seconds, config.maxTargetPositions - position);
  /** How many of the tokens fed have come true: each has its row already. */
  let held = 0;
  for (let next = position; hypothesis.stop === null; next++) {
    signal.throwIfAborted();
    const row = rows[held]!;
    suppress(row, config, hypothesis.isEmpty);
    const { token, logProbability } = choose(row, config.tokens.endOfText + 1);
    if (token !== config.tokens.endOfText && request.isTooNew?.(firstRow + held)) {
      hypothesis.endBefore(token);
      break;
    }
    hypothesis.add(token === config.tokens.endOfText ? 'end' : token, logProbability);
    if (hypothesis.stop !== null) break;
    draft.follow(token);
    if (token === fed[held]) {
      held++;
      continue;
    }
    fed = draft.ahead(config.maxTargetPositions - next - 1);
    rows = await pass([token, ...fed], next, rowsFrom(0, fed));
    [held, firstRow] = [0, 0];
  }
  return { ...hypothesis.result(), language, languageProbability, noSpeechProbability };
}

/** What of the draft is left to check behind the prefix. */
function draftBehind({ draft, prefix }: DecodingRequest): readonly number[] {
  return prefix.every((token, at) => draft[at] === token) ? draft.slice(prefix.length) : [];
}

interface Start {
  readonly language: string;
  readonly languageProbability: number;
  readonly noSpeechProbability: number;
  /** The logits of the first token of the text, then those behind each token of the draft. */
  readonly rows: readonly Float32Array[];
  /** Where the first token of the text goes. */
  readonly position: number;
  /** Which token of the last pass the first row belongs to. */
  readonly firstRow: number;
}

/**
 * Feeds all that comes before the text, and the draft. A language that is known or rightly expected needs one pass, any
 * other two: first the start of the transcript, which tells the language, then the rest.
 */
async function start(
  pass: DecoderPass,
  config: WhisperConfig,
  request: DecodingRequest,
  draft: readonly number[],
  signal: AbortSignal,
): Promise<Start> {
  const { tokens, languages } = config;
  const { prompt, prefix } = fitted(request, config.maxTargetPositions);
  const before = [
    ...(prompt.length > 0 ? [tokens.startOfPrevious, ...prompt] : []),
    tokens.startOfTranscript,
  ];
  const at = before.length - 1;
  const given = Object.keys(languages).length === 0 ? 'en' : request.language;
  const told = (first: Float32Array) =>
    given === null
      ? detectLanguage(first, languages, request.likelyLanguage)
      : { language: given, probability: 1 };

  let first: Float32Array | null = null;
  const expected = given ?? request.likelyLanguage;
  if (expected !== null) {
    const all = [...before, ...taskTokens(config, expected, request.task), ...prefix];
    const [row, ...rows] = await pass([...all, ...draft], 0, [at, ...rowsFrom(all.length - 1, draft)]);
    const { language, probability } = told(row!);
    if (language === expected)
      return {
        language,
        languageProbability: probability,
        noSpeechProbability: probabilityOf(row!, tokens.noSpeech),
        rows,
        position: all.length,
        firstRow: all.length - 1,
      };
    first = row!;
  }

  first ??= (await pass(before, 0, [at]))[0]!;
  signal.throwIfAborted();
  const { language, probability } = told(first);
  const noSpeechProbability = probabilityOf(first, tokens.noSpeech);
  const rest = [...taskTokens(config, language, request.task), ...prefix];
  const rows = await pass([...rest, ...draft], before.length, rowsFrom(rest.length - 1, draft));
  return {
    language,
    languageProbability: probability,
    noSpeechProbability,
    rows,
    position: before.length + rest.length,
    firstRow: rest.length - 1,
  };
}

/**
 * What stands between the start of the transcript and its text.
 * @throws RangeError for a language that the model does not know; English-only models take any for English, and know
 * one task.
 */
export function taskTokens(
  { tokens, languages }: WhisperConfig,
  language: string,
  task: Task = 'transcribe',
): number[] {
  const multilingual = Object.keys(languages).length > 0;
  const languageToken = languages[language];
  if (multilingual && languageToken === undefined)
    throw new RangeError(`the model does not know the language ${language}`);
  const taskToken = task === 'translate' ? tokens.translate : tokens.transcribe;
  return [
    ...(languageToken === undefined ? [] : [languageToken]),
    ...(taskToken === null ? [] : [taskToken]),
    tokens.noTimestamps,
  ];
}

/** The row of the last token before the text, and those of the draft behind it. */
const rowsFrom = (last: number, draft: readonly number[]): number[] =>
  Array.from({ length: draft.length + 1 }, (_, offset) => last + offset);

/** Start tokens, and the least text that can still be decoded behind the longest prefix. */
const RESERVED_TOKENS = 4 + 60;

/** Cuts what comes before the text to fit the context; the prompt takes half of it at most, as in training. */
function fitted(
  { prompt, prefix }: DecodingRequest,
  contextTokens: number,
): { prompt: readonly number[]; prefix: readonly number[] } {
  const room = contextTokens - RESERVED_TOKENS;
  const seen = prefix.slice(-room);
  const promptRoom = Math.min(contextTokens / 2, room - seen.length) - 1;
  return { prefix: seen, prompt: promptRoom > 0 ? prompt.slice(-promptRoom) : [] };
}

/** Rules out what may not be decoded here. Special tokens above the end mark are never looked at. */
function suppress(row: Float32Array, config: WhisperConfig, atBeginning: boolean): void {
  for (const token of config.suppressTokens) row[token] = Number.NEGATIVE_INFINITY;
  if (atBeginning) for (const token of config.beginSuppressTokens) row[token] = Number.NEGATIVE_INFINITY;
}

/** A text as it grows; knows when it has to stop. */
class Hypothesis {
  stop: DecodingStop | null = null;
  readonly #tokens: number[];
  #leftOut: readonly number[] = [];
  readonly #logProbabilities: number[] = [];
  readonly #ceiling: number;
  readonly #room: number;

  /** @param room Tokens that still fit the context, 1 or more. */
  constructor(prefix: readonly number[], seconds: number, room: number) {
    this.#tokens = [...prefix];
    this.#ceiling = tokenCeiling(seconds);
    this.#room = room;
  }

  /** Leaves out a token that is too new, and all that might come after it. */
  endBefore(token: number): void {
    this.stop = 'too_new';
    this.#leftOut = [token];
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  add(token: number | 'end', logProbability: number): void {
    this.#logProbabilities.push(logProbability);
    if (token === 'end') {
      this.stop = 'end';
      return;
    }
    this.#tokens.push(token);
    if (endsInLoop(this.#tokens)) this.stop = 'loop';
    else if (this.#tokens.length > this.#ceiling) this.stop = 'too_many_tokens';
    else if (this.#logProbabilities.length >= this.#room) this.stop = 'context_full';
  }

  result(): Pick<Decoding, 'tokens' | 'draft' | 'stop' | 'logProbabilities'> {
    const draft = [...this.#tokens, ...this.#leftOut];
    return { tokens: this.#tokens, draft, stop: this.stop!, logProbabilities: this.#logProbabilities };
  }
}
