/**
 * Two light touches that a very small model needs. They look at its own words only: penalising the prompt's, as
 * generation libraries do, keeps a summary from using the words of what it summarises.
 */
import { LogitsProcessor, type PreTrainedTokenizer, type Tensor } from '@huggingface/transformers';

/** As in CTRL (Keskar et al., 2019), section 4.1; there 1.2, which a model of 135 M answers with nonsense. */
const REPETITION_PENALTY = 1.05;

/** What of a vocabulary matters to {@link Steering}. */
export interface Punctuation {
  /** Tokens whose text ends in a colon. */
  readonly colons: ReadonlySet<number>;
  /** Tokens of nothing but space and line ends. */
  readonly blanks: ReadonlySet<number>;
}

/** Makes repeating a token less likely, and ending after an announcement ("Here is a summary:") impossible. */
export class Steering extends LogitsProcessor {
  readonly #promptTokens: number;
  readonly #endTokens: readonly number[];
  readonly #punctuation: Punctuation;

  /** @param promptTokens Where the answer begins. @param endTokens The tokens that end an answer. */
  constructor(promptTokens: number, endTokens: readonly number[], punctuation: Punctuation) {
    super();
    this.#promptTokens = promptTokens;
    this.#endTokens = endTokens;
    this.#punctuation = punctuation;
  }

  /** @param ids Prompt and answer so far, one row. @param logits [1, vocabulary], changed in place. */
  override _call(ids: bigint[][], logits: Tensor): Tensor {
    const answer = ids[0]!.slice(this.#promptTokens).map(Number);
    const scores = logits.data as Float32Array;
    for (const token of new Set(answer)) {
      const score = scores[token]!;
      scores[token] = score < 0 ? score * REPETITION_PENALTY : score / REPETITION_PENALTY;
    }
    const { colons, blanks } = this.#punctuation;
    const last = answer.findLast((token) => !blanks.has(token));
    if (last !== undefined && colons.has(last))
      for (const token of this.#endTokens) scores[token] = Number.NEGATIVE_INFINITY;
    return logits;
  }
}

/** Reads the whole vocabulary once: some 100 ms. */
export function punctuationOf(tokenizer: PreTrainedTokenizer): Punctuation {
  const colons = new Set<number>();
  const blanks = new Set<number>();
  for (const token of tokenizer.get_vocab().values()) {
    const text = tokenizer.decode([token]).trimEnd();
    if (text === '') blanks.add(token);
    else if (/[:：]$/.test(text)) colons.add(token);
  }
  return { colons, blanks };
}
