/** When each word of a decoded text was said: one more pass of the decoder over all of it, and its attention. */
import type { Word } from '../domain/event.ts';
import type { Task } from '../domain/options.ts';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import { align } from './alignment.ts';
import { type Decoding, taskTokens } from './decoding.ts';
import { probabilityOf } from './logits.ts';
import { apartFromPauses, pausesOf } from './pauses.ts';
import { spokenWords } from './spoken-words.ts';
import type { WhisperTokenizer } from './tokens.ts';
import type { WhisperConfig } from './weights/config.ts';
import type { AttentionPass } from './window-decoder.ts';

const POSITION_MS = 20;
const POSITION_SAMPLES = (SAMPLE_RATE_HZ / 1000) * POSITION_MS;

export interface Timing {
  readonly attend: AttentionPass;
  readonly config: WhisperConfig;
  readonly tokenizer: WhisperTokenizer;
  readonly task?: Task;
}

/**
 * Times the words of a decoding.
 *
 * @param given How many of its tokens were not decoded but given, as the prefix.
 * @param audio What it was decoded from; every word lies within.
 * @returns Null where the model names no heads to align by.
 */
export async function wordTimes(
  { attend, config, tokenizer, task = 'transcribe' }: Timing,
  { tokens, language, logProbabilities }: Decoding,
  given: number,
  audio: Float32Array,
): Promise<Word[] | null> {
  const head = [config.tokens.startOfTranscript, ...taskTokens(config, language, task)];
  const firstRow = head.length - 1;
  // A given text may be longer than the context: what is cut from its beginning stays at 0.
  const seen = tokens.slice(-(config.maxTargetPositions - head.length));
  const unseen = tokens.length - seen.length;
  const rows = Array.from({ length: Math.max(1, given - unseen) }, (_, i) => firstRow + i);
  const { logits, attention } = await attend([...head, ...seen], rows);
  if (attention === null) return null;

  const starts = align(attention, firstRow, Math.floor(audio.length / POSITION_SAMPLES));
  const timeOf = (token: number): number => (token < unseen ? 0 : starts[token - unseen]! * POSITION_MS);
  const probabilityAt = (at: number): number => {
    if (at >= given) return Math.exp(logProbabilities[at - given]!);
    return at < unseen ? 0 : probabilityOf(logits[at - unseen]!, tokens[at]!);
  };
  const spoken = tokenizer.pieces(tokens).map((text, at) => ({
    text,
    startMs: timeOf(at),
    endMs: timeOf(at + 1),
    probability: probabilityAt(at),
  }));
  return apartFromPauses(spokenWords(spoken), pausesOf(audio));
}
