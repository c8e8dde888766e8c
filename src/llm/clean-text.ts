/**
 * Text as it can be stored and sent. PostgreSQL keeps neither NUL nor half a surrogate pair in `text` or `jsonb`,
 * and a model's pieces may hold the one or break a pair in two.
 */
export class CleanText {
  #held = '';

  /** The storable part of `piece`; the first half of a pair at its end waits for the next one. */
  next(piece: string): string {
    const text = this.#held + piece;
    const splits = /[\uD800-\uDBFF]$/.test(text);
    this.#held = splits ? text.slice(-1) : '';
    return storable(splits ? text.slice(0, -1) : text);
  }

  /** What still waits, at the end. */
  rest(): string {
    const text = storable(this.#held);
    this.#held = '';
    return text;
  }
}

const storable = (text: string): string => text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\uFFFD');
