/**
 * What a text is expected to be, followed while it is decoded. Where one token differs, what comes after it mostly does
 * not: so the draft is followed on behind a token that was exchanged or left out, not only up to it.
 */

/** Tokens that are checked along with one that had to be decoded: each costs a tenth of a pass of its own. */
const AHEAD = 8;
/** So many tokens of the draft may be left out at once. */
const LEFT_OUT = 3;

export class Draft {
  readonly #tokens: readonly number[];
  /** Which token is expected next. */
  #at = 0;
  /** Tokens of the text since the last one that the draft had. */
  #strange = 0;

  constructor(tokens: readonly number[]) {
    this.#tokens = tokens;
  }

  /** Takes in the next token of the text. */
  follow(token: number): void {
    const found = this.#tokens.slice(this.#at, this.#at + 1 + LEFT_OUT).indexOf(token);
    if (found >= 0) {
      this.#at += found + 1;
      this.#strange = 0;
      return;
    }
    // The first strange one stands for one of the draft's; of more than that nobody knows.
    if (this.#strange === 0) this.#at++;
    this.#strange++;
  }

  /** What is expected to follow, `most` tokens or fewer; nothing where the text has become another. */
  ahead(most: number): readonly number[] {
    return this.#strange > 1 ? [] : this.#tokens.slice(this.#at, this.#at + Math.min(AHEAD, most));
  }
}
