/** The last few seconds of loudness, for the meter: a ring that the microphone fills and the picture reads. */
export class Levels {
  static readonly LENGTH = 256;
  readonly #values = new Float32Array(Levels.LENGTH);
  #count = 0;

  /** How many were added since the start. */
  get count(): number {
    return this.#count;
  }

  /** @param rms 0–1; kept on a scale of decibels, since that is how loudness is heard. */
  add(rms: number): void {
    const decibels = 20 * Math.log10(Math.max(rms, 1e-5));
    this.#values[this.#count % Levels.LENGTH] = Math.min(1, Math.max(0, (decibels + 55) / 50));
    this.#count += 1;
  }

  /** The value `ago` steps before the last, 0–1; 0 where there is none. */
  at(ago: number): number {
    const index = this.#count - 1 - ago;
    return index < 0 || ago >= Levels.LENGTH ? 0 : this.#values[index % Levels.LENGTH]!;
  }

  clear(): void {
    this.#values.fill(0);
    this.#count = 0;
  }
}
