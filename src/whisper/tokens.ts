/**
 * Tokens to text and back. Whisper's tokens are runs of UTF-8 bytes (GPT-2's byte-level BPE; Sennrich, Haddow, Birch
 * 2016), so a syllable of Hangul may be spread over several: text is made of bytes, never of tokens one by one.
 */
import { Vocabulary } from './vocabulary.ts';

/** The part of a `tokenizer.json` that is used here. Merges are in the order of the ids they make. */
interface TokenizerJson {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
}

/** What no token reaches across: GPT-2's rule for English endings, letters, digits, marks and spaces. */
const PIECES = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
/** A run of letters without end is cut, so that encoding it takes no longer than as many short ones. */
const LONGEST_PIECE_BYTES = 512;
const NO_TOKEN = -1;

export class WhisperTokenizer {
  readonly #vocabulary: Vocabulary;

  /**
   * @param json The parsed `tokenizer.json` of a Whisper checkpoint; not held on to.
   * @param endOfText The id of `<|endoftext|>`: all text tokens are below it, all special ones are not.
   * @throws Error where the file is not a byte-level BPE vocabulary.
   */
  constructor(json: object, endOfText: number) {
    const vocab = (json as Partial<TokenizerJson>).model?.vocab;
    if (!vocab) throw new Error('tokenizer.json has no vocabulary');
    this.#vocabulary = new Vocabulary(vocab, endOfText);
  }

  /**
   * The text of tokens. Special tokens are left out; so are bytes that make no character, such as a syllable
   * whose last bytes have not been decoded yet.
   */
  decode(tokens: readonly number[]): string {
    return this.pieces(tokens).join('');
  }

  /** The same text, token by token: a character belongs to the token with its last byte. */
  pieces(tokens: readonly number[]): string[] {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return tokens.map((token) =>
      decoder.decode(this.#vocabulary.bytes(token), { stream: true }).replaceAll('\ufffd', ''),
    );
  }

  /**
   * The text tokens of a text. What looks like a special token in it is spelled out: a prompt comes from a client
   * and must not steer the decoder. A leading space matters: Whisper's words carry theirs in front.
   */
  encode(text: string): number[] {
    const encoder = new TextEncoder();
    return Array.from(text.matchAll(PIECES)).flatMap(([piece]) => {
      const bytes = encoder.encode(piece);
      const tokens: number[] = [];
      for (let from = 0; from < bytes.length; from += LONGEST_PIECE_BYTES)
        tokens.push(...this.#merged(bytes.subarray(from, from + LONGEST_PIECE_BYTES)));
      return tokens;
    });
  }

  /**
   * Joins two neighbours into the token that both make, the one with the lowest id first, until there is none: ids
   * were given out in the order in which training found these pairs to be common.
   */
  #merged(bytes: Uint8Array): number[] {
    const vocabulary = this.#vocabulary;
    const ids = Array.from(bytes, (_, at) => vocabulary.find(bytes, at, at + 1));
    const ends = Array.from(bytes, (_, at) => at + 1);
    const startOf = (part: number): number => (part === 0 ? 0 : ends[part - 1]!);
    const pairAt = (part: number): number =>
      part + 1 < ends.length ? vocabulary.find(bytes, startOf(part), ends[part + 1]!) : NO_TOKEN;
    const pairs = ids.map((_, part) => pairAt(part));
    for (;;) {
      let best = -1;
      for (let part = 0; part < pairs.length; part++)
        if (pairs[part] !== NO_TOKEN && (best < 0 || pairs[part]! < pairs[best]!)) best = part;
      if (best < 0) return ids.filter((id) => id !== NO_TOKEN);
      ids.splice(best, 2, pairs[best]!);
      ends.splice(best, 1);
      pairs.splice(best, 1);
      pairs[best] = pairAt(best);
      if (best > 0) pairs[best - 1] = pairAt(best - 1);
    }
  }
}
