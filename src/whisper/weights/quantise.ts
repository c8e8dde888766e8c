/** Signed symmetric integers with one scale a row: value ≈ integer × scale. */
export interface QuantisedRows {
  /** Row-major, [rows, columns]. */
  readonly values: Int8Array;
  /** One a row, > 0. */
  readonly scales: Float32Array;
}

/** A row that has nothing larger counts as zeros: its scale would lose its precision, or be zero. */
const NOTHING = 1e-30;

/**
 * Quantises each row of a matrix by its own largest magnitude. For a linear layer stored as
 * [outputs, inputs] that is one scale an output channel.
 *
 * @param limit Largest magnitude of the integers: 127 for 8 bits, 63 for 7.
 */
export function quantiseRows(matrix: Float32Array, columns: number, limit: number): QuantisedRows {
  const rows = matrix.length / columns;
  const values = new Int8Array(matrix.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let largest = 0;
    for (let i = start; i < start + columns; i++) {
      const magnitude = Math.abs(matrix[i]!);
      if (magnitude > largest) largest = magnitude;
    }
    const scale = largest < NOTHING ? 1 : Math.fround(largest / limit);
    scales[row] = scale;
    // No need to clamp: the largest quotient is the limit, give or take the rounding of the scale.
    for (let i = start; i < start + columns; i++) values[i] = Math.round(matrix[i]! / scale);
  }
  return { values, scales };
}

/** The numbers that quantised rows stand for. */
export function dequantiseRows({ values, scales }: QuantisedRows, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row]!;
    for (let i = row * columns; i < (row + 1) * columns; i++) out[i] = values[i]! * scale;
  }
  return out;
}
