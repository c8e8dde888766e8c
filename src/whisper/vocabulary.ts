/**
 * The text tokens of a byte-level BPE vocabulary, as bytes, in three flat arrays. As objects and strings they would be
 * 20 MB on the heap of every recognition thread, and walking those at each collection of garbage, of which a pass of
 * the graphs leaves megabytes, took a quarter of the processor time of a live session.
 */

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

const EMPTY = -1;
/** Slots of the hash table for each token: half of them stay empty. */
const SLOTS_PER_TOKEN = 2;

export class Vocabulary {
  /** How many ids there are, from 0. */
  readonly size: number;
  /** All tokens one after the other; token i from `starts[i]` to `starts[i + 1]`. */
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;
  /** Ids by the hash of their bytes, with linear probing. */
  readonly #slots: Int32Array;

  /**
   * @param written Ids by their written form, as a `tokenizer.json` has them.
   * @param size Ids from here on are left out.
   */
  constructor(written: Readonly<Record<string, number>>, size: number) {
    const forms = new Array<string>(size).fill('');
    for (const [form, id] of Object.entries(written)) if (id < size) forms[id] = form;
    const tokens = forms.map((form) => bytesOf(form));
    this.size = size;
    this.#starts = new Uint32Array(size + 1);
    for (const [id, token] of tokens.entries()) this.#starts[id + 1] = this.#starts[id]! + token.length;
    this.#bytes = Uint8Array.from(tokens.flat());
    this.#slots = new Int32Array(SLOTS_PER_TOKEN * size + 1).fill(EMPTY);
    for (const [id, token] of tokens.entries())
      if (token.length > 0) this.#slots[this.#slotOf(token, 0, token.length)] = id;
  }

  /** The bytes of a token; none for an id beyond the vocabulary. */
  bytes(id: number): Uint8Array {
    return id < this.size
      ? this.#bytes.subarray(this.#starts[id]!, this.#starts[id + 1]!)
      : new Uint8Array(0);
  }

  /** The token that `bytes` are from `from` to `to`, or −1. */
  find(bytes: ArrayLike<number>, from: number, to: number): number {
    return this.#slots[this.#slotOf(bytes, from, to)]!;
  }

  /** Where some bytes are in the table, or would be. The hash is FNV-1a. */
  #slotOf(bytes: ArrayLike<number>, from: number, to: number): number {
    let hash = 0x811c9dc5;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    let slot = (hash >>> 0) % this.#slots.length;
    for (let id = this.#slots[slot]!; id !== EMPTY && !this.#isToken(id, bytes, from, to); ) {
      slot = (slot + 1) % this.#slots.length;
      id = this.#slots[slot]!;
    }
    return slot;
  }

  #isToken(id: number, bytes: ArrayLike<number>, from: number, to: number): boolean {
    const start = this.#starts[id]!;
    if (this.#starts[id + 1]! - start !== to - from) return false;
    for (let i = from; i < to; i++) if (this.#bytes[start + i - from] !== bytes[i]) return false;
    return true;
  }
}

function bytesOf(form: string): number[] {
  return [...form].flatMap((character) => BYTE_OF_CHARACTER.get(character) ?? []);
}
