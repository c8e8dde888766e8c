/**
 * The power spectrum of real frames whose length no power of two fits: Whisper's are 400 samples. The 2M real
 * samples are taken as M complex ones (one transform of half the length), run through a self-sorting
 * mixed-radix FFT (Stockham's; see Van Loan, "Computational Frameworks for the FFT", 1992, § 1.7) and unpacked.
 */

/** One pass over all values: combines `radix` interleaved transforms into one. */
interface Pass {
  readonly radix: Radix;
  /** Butterflies per transform. */
  readonly count: number;
  /** Transforms that lie side by side. */
  readonly stride: number;
  /** `radix − 1` complex factors for each butterfly. */
  readonly twiddles: Float64Array;
}

type Radix = 2 | 4 | 5;
const RADICES: readonly Radix[] = [5, 4, 2];

/** Interleaved complex numbers: re, im, re, im … */
type Complexes = Float64Array;

/** Transforms frames of one even length; holds its scratch space, so one instance serves one caller at a time. */
export class PowerSpectrum {
  /** Samples in a frame. */
  readonly length: number;
  readonly #half: number;
  readonly #passes: readonly Pass[];
  readonly #unpack: Complexes;
  #front: Complexes;
  #back: Complexes;

  /**
   * @param length A multiple of 4 with no prime factors but 2 and 5.
   * @throws RangeError for any other length.
   */
  constructor(length: number) {
    if (!(length >= 4) || length % 4 !== 0) throw new RangeError(`no FFT of length ${length}`);
    this.length = length;
    this.#half = length / 2;
    this.#passes = planPasses(this.#half);
    this.#unpack = roots(length, this.#half / 2 + 1);
    this.#front = new Float64Array(length);
    this.#back = new Float64Array(length);
  }

  /** Where to put the frame: `length` samples, already windowed. {@link compute} overwrites it. */
  get frame(): Float64Array {
    return this.#front;
  }

  /** Writes |X(k)|² of the frame for k = 0 … length/2 into `power`. */
  compute(power: Float64Array): void {
    for (const pass of this.#passes) {
      if (pass.radix === 5) radix5(pass, this.#front, this.#back);
      else if (pass.radix === 4) radix4(pass, this.#front, this.#back);
      else radix2(pass, this.#front, this.#back);
      [this.#front, this.#back] = [this.#back, this.#front];
    }
    this.#unpackInto(power);
  }

  /** Splits the packed transform Z into those of the even and the odd samples: X(k) = E(k) + ω^k O(k). */
  #unpackInto(power: Float64Array): void {
    const z = this.#front;
    const half = this.#half;
    for (let k = 0; 2 * k <= half; k++) {
      const mirrored = k === 0 ? 0 : half - k;
      const re = z[2 * k]!;
      const im = z[2 * k + 1]!;
      const mirroredRe = z[2 * mirrored]!;
      const mirroredIm = -z[2 * mirrored + 1]!;
      const evenRe = (re + mirroredRe) / 2;
      const evenIm = (im + mirroredIm) / 2;
      const oddRe = (im - mirroredIm) / 2;
      const oddIm = (mirroredRe - re) / 2;
      const cos = this.#unpack[2 * k]!;
      const sin = this.#unpack[2 * k + 1]!;
      const turnedRe = oddRe * cos - oddIm * sin;
      const turnedIm = oddRe * sin + oddIm * cos;
      power[k] = (evenRe + turnedRe) ** 2 + (evenIm + turnedIm) ** 2;
      power[half - k] = (evenRe - turnedRe) ** 2 + (evenIm - turnedIm) ** 2;
    }
  }
}

/** exp(−2πi k/n) for k = 0 … count − 1. */
function roots(n: number, count: number): Complexes {
  const values = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    values[2 * k] = Math.cos((2 * Math.PI * k) / n);
    values[2 * k + 1] = -Math.sin((2 * Math.PI * k) / n);
  }
  return values;
}

function planPasses(size: number): Pass[] {
  const passes: Pass[] = [];
  for (let left = size, stride = 1; left > 1; ) {
    const radix = RADICES.find((candidate) => left % candidate === 0);
    if (!radix) throw new RangeError(`no FFT of length ${2 * size}`);
    const count = left / radix;
    const all = roots(left, left);
    const twiddles = new Float64Array(count * (radix - 1) * 2);
    for (let p = 0, at = 0; p < count; p++)
      for (let k = 1; k < radix; k++, at += 2) {
        const power = (p * k) % left;
        twiddles[at] = all[2 * power]!;
        twiddles[at + 1] = all[2 * power + 1]!;
      }
    passes.push({ radix, count, stride, twiddles });
    left = count;
    stride *= radix;
  }
  return passes;
}

function radix2({ count, stride, twiddles }: Pass, from: Complexes, to: Complexes): void {
  const apart = 2 * stride * count;
  const step = 2 * stride;
  for (let p = 0; p < count; p++) {
    const wr = twiddles[2 * p]!;
    const wi = twiddles[2 * p + 1]!;
    for (let q = 0; q < stride; q++) {
      const i = 2 * (q + stride * p);
      const o = 2 * (q + 2 * stride * p);
      const re = from[i]! - from[i + apart]!;
      const im = from[i + 1]! - from[i + apart + 1]!;
      to[o] = from[i]! + from[i + apart]!;
      to[o + 1] = from[i + 1]! + from[i + apart + 1]!;
      to[o + step] = re * wr - im * wi;
      to[o + step + 1] = re * wi + im * wr;
    }
  }
}

function radix4({ count, stride, twiddles }: Pass, from: Complexes, to: Complexes): void {
  const apart = 2 * stride * count;
  const step = 2 * stride;
  for (let p = 0; p < count; p++) {
    for (let q = 0; q < stride; q++) {
      const i = 2 * (q + stride * p);
      const o = 2 * (q + 4 * stride * p);
      const sumRe = from[i]! + from[i + 2 * apart]!;
      const sumIm = from[i + 1]! + from[i + 2 * apart + 1]!;
      const differenceRe = from[i]! - from[i + 2 * apart]!;
      const differenceIm = from[i + 1]! - from[i + 2 * apart + 1]!;
      const otherSumRe = from[i + apart]! + from[i + 3 * apart]!;
      const otherSumIm = from[i + apart + 1]! + from[i + 3 * apart + 1]!;
      // The other difference, turned by −i.
      const turnedRe = from[i + apart + 1]! - from[i + 3 * apart + 1]!;
      const turnedIm = from[i + 3 * apart]! - from[i + apart]!;
      to[o] = sumRe + otherSumRe;
      to[o + 1] = sumIm + otherSumIm;
      turn(to, o + step, differenceRe + turnedRe, differenceIm + turnedIm, twiddles, 6 * p);
      turn(to, o + 2 * step, sumRe - otherSumRe, sumIm - otherSumIm, twiddles, 6 * p + 2);
      turn(to, o + 3 * step, differenceRe - turnedRe, differenceIm - turnedIm, twiddles, 6 * p + 4);
    }
  }
}

const COS_1 = Math.cos((2 * Math.PI) / 5);
const COS_2 = Math.cos((4 * Math.PI) / 5);
const SIN_1 = Math.sin((2 * Math.PI) / 5);
const SIN_2 = Math.sin((4 * Math.PI) / 5);

function radix5({ count, stride, twiddles }: Pass, from: Complexes, to: Complexes): void {
  const apart = 2 * stride * count;
  const step = 2 * stride;
  for (let p = 0; p < count; p++) {
    for (let q = 0; q < stride; q++) {
      const i = 2 * (q + stride * p);
      const o = 2 * (q + 5 * stride * p);
      const re = from[i]!;
      const im = from[i + 1]!;
      // Values 1 and 4 share their cosines and oppose their sines; so do 2 and 3.
      const outerRe = from[i + apart]! + from[i + 4 * apart]!;
      const outerIm = from[i + apart + 1]! + from[i + 4 * apart + 1]!;
      const outerGapRe = from[i + apart]! - from[i + 4 * apart]!;
      const outerGapIm = from[i + apart + 1]! - from[i + 4 * apart + 1]!;
      const innerRe = from[i + 2 * apart]! + from[i + 3 * apart]!;
      const innerIm = from[i + 2 * apart + 1]! + from[i + 3 * apart + 1]!;
      const innerGapRe = from[i + 2 * apart]! - from[i + 3 * apart]!;
      const innerGapIm = from[i + 2 * apart + 1]! - from[i + 3 * apart + 1]!;

      const even1Re = re + COS_1 * outerRe + COS_2 * innerRe;
      const even1Im = im + COS_1 * outerIm + COS_2 * innerIm;
      const odd1Re = SIN_1 * outerGapIm + SIN_2 * innerGapIm;
      const odd1Im = -(SIN_1 * outerGapRe + SIN_2 * innerGapRe);
      const even2Re = re + COS_2 * outerRe + COS_1 * innerRe;
      const even2Im = im + COS_2 * outerIm + COS_1 * innerIm;
      const odd2Re = SIN_2 * outerGapIm - SIN_1 * innerGapIm;
      const odd2Im = SIN_1 * innerGapRe - SIN_2 * outerGapRe;

      to[o] = re + outerRe + innerRe;
      to[o + 1] = im + outerIm + innerIm;
      turn(to, o + step, even1Re + odd1Re, even1Im + odd1Im, twiddles, 8 * p);
      turn(to, o + 2 * step, even2Re + odd2Re, even2Im + odd2Im, twiddles, 8 * p + 2);
      turn(to, o + 3 * step, even2Re - odd2Re, even2Im - odd2Im, twiddles, 8 * p + 4);
      turn(to, o + 4 * step, even1Re - odd1Re, even1Im - odd1Im, twiddles, 8 * p + 6);
    }
  }
}

/** Stores one complex value multiplied by a twiddle factor. */
function turn(to: Complexes, at: number, re: number, im: number, twiddles: Complexes, which: number): void {
  const wr = twiddles[which]!;
  const wi = twiddles[which + 1]!;
  to[at] = re * wr - im * wi;
  to[at + 1] = re * wi + im * wr;
}
