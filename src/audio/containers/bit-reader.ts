/** Bits, most significant first, out of bytes that may not all be there yet. */

/** Thrown where the bits run out; the reader's position means nothing afterwards. */
export class OutOfBits extends Error {}

export class BitReader {
  readonly #bytes: Uint8Array;
  #bit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The byte the next bit is in. */
  get byteOffset(): number {
    return this.#bit >>> 3;
  }

  /** @param count 0–32. */
  unsigned(count: number): number {
    let value = 0;
    for (let left = count; left > 0; ) {
      const byte = this.#bytes[this.#bit >>> 3];
      if (byte === undefined) throw new OutOfBits();
      const available = 8 - (this.#bit & 7);
      const taken = Math.min(left, available);
      value = value * 2 ** taken + ((byte >>> (available - taken)) & ((1 << taken) - 1));
      this.#bit += taken;
      left -= taken;
    }
    return value;
  }

  /** Two's complement; `count` is 1–32. */
  signed(count: number): number {
    const value = this.unsigned(count);
    return value >= 2 ** (count - 1) ? value - 2 ** count : value;
  }

  /** How many zeros come before the next one; takes the one too. */
  unary(): number {
    for (let zeros = 0; ; ) {
      const byte = this.#bytes[this.#bit >>> 3];
      if (byte === undefined) throw new OutOfBits();
      const used = this.#bit & 7;
      const leading = Math.clz32((byte << (24 + used)) >>> 0);
      if (leading < 8 - used) {
        this.#bit += leading + 1;
        return zeros + leading;
      }
      zeros += 8 - used;
      this.#bit += 8 - used;
    }
  }

  /** Goes on at the next whole byte. */
  align(): void {
    this.#bit = (this.#bit + 7) & ~7;
  }
}
