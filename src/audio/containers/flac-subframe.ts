/** One channel of one FLAC frame (RFC 9639, 9.2). Sums are exact: doubles hold 53 bits, the format needs 45. */
import type { BitReader } from './bit-reader.ts';
import { DamagedFrame } from './flac-frame-error.ts';

/** The fixed predictors of order 0–4, newest sample first. */
const FIXED: readonly (readonly number[])[] = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

/** @param depth Bits per sample of this channel: a side channel has one more than the stream. */
export function readSubframe(bits: BitReader, blockSize: number, depth: number): Float64Array {
  if (bits.unsigned(1) !== 0) throw new DamagedFrame();
  const type = bits.unsigned(6);
  const wastedBits = bits.unsigned(1) === 1 ? bits.unary() + 1 : 0;
  if (wastedBits >= depth) throw new DamagedFrame();
  const samples = readSamples(bits, type, blockSize, depth - wastedBits);
  if (wastedBits > 0) for (let i = 0; i < blockSize; i++) samples[i] = samples[i]! * 2 ** wastedBits;
  return samples;
}

function readSamples(bits: BitReader, type: number, blockSize: number, depth: number): Float64Array {
  const samples = new Float64Array(blockSize);
  if (type === 0) return samples.fill(bits.signed(depth));
  if (type === 1) {
    for (let i = 0; i < blockSize; i++) samples[i] = bits.signed(depth);
    return samples;
  }
  const isLinear = type >= 32;
  const order = isLinear ? type - 31 : type - 8;
  if (order < 0 || (!isLinear && order > 4) || order > blockSize) throw new DamagedFrame();
  for (let i = 0; i < order; i++) samples[i] = bits.signed(depth);
  const { coefficients, shift } = isLinear
    ? readPredictor(bits, order)
    : { coefficients: FIXED[order]!, shift: 0 };
  readResidual(bits, samples, order);
  restore(samples, coefficients, shift);
  return samples;
}

interface Predictor {
  readonly coefficients: readonly number[];
  readonly shift: number;
}

function readPredictor(bits: BitReader, order: number): Predictor {
  const precision = bits.unsigned(4) + 1;
  const shift = bits.signed(5);
  if (precision === 16 || shift < 0) throw new DamagedFrame();
  return { coefficients: Array.from({ length: order }, () => bits.signed(precision)), shift };
}

/** Rice-coded differences, written where the samples will be (RFC 9639, 9.2.7). */
function readResidual(bits: BitReader, samples: Float64Array, order: number): void {
  const method = bits.unsigned(2);
  if (method > 1) throw new DamagedFrame();
  const parameterBits = method === 0 ? 4 : 5;
  const escapeCode = 2 ** parameterBits - 1;
  const partitions = 2 ** bits.unsigned(4);
  const partitionSize = samples.length / partitions;
  if (!Number.isInteger(partitionSize) || partitionSize < order) throw new DamagedFrame();
  for (let partition = 0, i = order; partition < partitions; partition++) {
    const end = (partition + 1) * partitionSize;
    const parameter = bits.unsigned(parameterBits);
    if (parameter === escapeCode) {
      const width = bits.unsigned(5);
      for (; i < end; i++) samples[i] = width === 0 ? 0 : bits.signed(width);
    } else {
      for (; i < end; i++) {
        const folded = bits.unary() * 2 ** parameter + bits.unsigned(parameter);
        samples[i] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
      }
    }
  }
}

/** Adds to each difference what the samples before it predict. */
function restore(samples: Float64Array, coefficients: readonly number[], shift: number): void {
  const order = coefficients.length;
  const divisor = 2 ** shift;
  for (let i = order; i < samples.length; i++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum += coefficients[j]! * samples[i - 1 - j]!;
    samples[i] = samples[i]! + Math.floor(sum / divisor);
  }
}
