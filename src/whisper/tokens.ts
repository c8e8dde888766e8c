/**
 * Tokens to text and back. Whisper's tokens are runs of UTF-8 bytes (GPT-2's byte-level BPE), so a syllable of
 * Hangul may be spread over several: text is made of bytes, never of tokens one by one.
 */
import { Tokenizer } from '@huggingface/tokenizers';

/** The parts of a `tokenizer.json` that are used here; the encoder reads the rest. */
interface TokenizerJson {
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
}

/** Which byte each character of a token's written form stands for: GPT-2 shifts unprintable bytes above U+0100. */
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const shifted = bytes.filter((byte) => !printable(byte));
  return new Map([
    ...bytes.filter(printable).map((byte) => [String.fromCharCode(byte), byte] as const),
    ...shifted.map((byte, i) => [String.fromCharCode(0x100 + i), byte] as const),
  ]);
})();

export class WhisperTokenizer {
  readonly #json: object;
  readonly #endOfText: number;
  /** The written form of each text token, by id. */
  readonly #written: readonly (string | undefined)[];
  #encoder: Tokenizer | null = null;

  /**
   * @param json The parsed `tokenizer.json` of a Whisper checkpoint.
   * @param endOfText The id of `<|endoftext|>`: all text tokens are below it, all special ones are not.
   * @throws Error where the file is not a byte-level BPE vocabulary.
   */
  constructor(json: object, endOfText: number) {
    const vocab = (json as Partial<TokenizerJson>).model?.vocab;
    if (!vocab) throw new Error('tokenizer.json has no vocabulary');
    const written: (string | undefined)[] = [];
    for (const [token, id] of Object.entries(vocab)) if (id < endOfText) written[id] = token;
    this.#json = json;
    this.#endOfText = endOfText;
    this.#written = written;
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
      decoder.decode(this.#bytes(token), { stream: true }).replaceAll('\ufffd', ''),
    );
  }

  #bytes(token: number): Uint8Array {
    const bytes: number[] = [];
    for (const character of this.#written[token] ?? '') {
      const byte = BYTE_OF_CHARACTER.get(character);
      if (byte !== undefined) bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }

  /**
   * The text tokens of a text. What looks like a special token in it is dropped: a prompt comes from a client
   * and must not steer the decoder. A leading space matters: Whisper's words carry theirs in front.
   */
  encode(text: string): number[] {
    // Built late: it takes as long as decoding a sentence, and most work needs no encoding.
    this.#encoder ??= new Tokenizer(this.#json, {});
    const ids: number[] = this.#encoder.encode(text, { add_special_tokens: false }).ids;
    return ids.filter((id) => id < this.#endOfText);
  }
}
