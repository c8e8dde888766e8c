/**
 * Streaming sample rate conversion between any two whole rates: a windowed-sinc low-pass in polyphase form
 * (Smith, "Digital Audio Resampling", CCRMA). With 16 zero crossings and a Kaiser window of β = 9, everything
 * that would fold back into the audible band is more than 80 dB down.
 */
const ZERO_CROSSINGS = 16;
const KAISER_BETA = 9;
/** Where the low-pass begins to fall, as a part of the lower of the two Nyquist frequencies. */
const PASSBAND = 0.92;

/** Converts one channel from `fromHz` to `toHz`, block by block. */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  /** One filter per phase, each `#taps` long, oldest input first. */
  readonly #phases: Float32Array[];
  /** Input still needed: the filter's length before the next output, and what came after. */
  #held: Float32Array;
  /** Position of the next output, in input samples times `#up`, from the start of `#held`. */
  #position: number;

  constructor(fromHz: number, toHz: number) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.#up = toHz / divisor;
    this.#down = fromHz / divisor;
    const scale = Math.min(1, toHz / fromHz);
    this.#taps = 2 * Math.ceil(ZERO_CROSSINGS / scale);
    this.#phases = Array.from({ length: this.#up }, (_, phase) =>
      filterOf(phase / this.#up, this.#taps, scale * PASSBAND, ZERO_CROSSINGS / scale),
    );
    // Half a filter of silence before the first sample: output 0 then stands at input 0.
    this.#held = new Float32Array(this.#taps / 2 - 1);
    this.#position = 0;
  }

  /** Takes the next input and gives the output it completes; outputs lag half a filter behind. */
  push(input: Float32Array): Float32Array {
    const held = new Float32Array(this.#held.length + input.length);
    held.set(this.#held);
    held.set(input, this.#held.length);
    const last = (held.length - this.#taps) * this.#up;
    const count = last < this.#position ? 0 : Math.floor((last - this.#position) / this.#down) + 1;
    const output = new Float32Array(count);
    for (let n = 0; n < count; n += 1) {
      const at = Math.floor(this.#position / this.#up);
      const filter = this.#phases[this.#position - at * this.#up]!;
      let sum = 0;
      for (let k = 0; k < filter.length; k += 1) sum += filter[k]! * held[at + k]!;
      output[n] = sum;
      this.#position += this.#down;
    }
    const spent = Math.min(held.length, Math.floor(this.#position / this.#up));
    this.#held = held.slice(spent);
    this.#position -= spent * this.#up;
    return output;
  }

  /** Gives what the lag holds back, at the end of the input. */
  flush(): Float32Array {
    return this.push(new Float32Array(this.#taps / 2));
  }
}

/**
 * @param offset Where the output stands between two inputs: 0 at the input before it, up to 1.
 * @param cutoff As a part of the input's Nyquist frequency.
 * @param halfWidth Of the window, in input samples.
 */
function filterOf(offset: number, taps: number, cutoff: number, halfWidth: number): Float32Array {
  const filter = new Float32Array(taps);
  let sum = 0;
  for (let k = 0; k < taps; k += 1) {
    const x = k - (taps / 2 - 1) - offset;
    const inside = 1 - (x / halfWidth) ** 2;
    const window = inside <= 0 ? 0 : bessel0(KAISER_BETA * Math.sqrt(inside));
    filter[k] = sinc(cutoff * x) * window;
    sum += filter[k]!;
  }
  // Each phase passes a constant unchanged: otherwise the phases would hum.
  for (let k = 0; k < taps; k += 1) filter[k]! /= sum;
  return filter;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The modified Bessel function of the first kind and order zero, by its power series. */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-10; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
