/** Side of the squares that are turned at a time: both fit the first-level cache. */
const BLOCK = 64;

/** A matrix [rows, columns] as [columns, rows]: linear layers are stored the one way and multiplied the other. */
export function transpose<A extends Float32Array | Int8Array>(matrix: A, columns: number): A {
  const rows = matrix.length / columns;
  const out = matrix.slice() as A;
  for (let top = 0; top < rows; top += BLOCK)
    for (let left = 0; left < columns; left += BLOCK) {
      const bottom = Math.min(rows, top + BLOCK);
      const right = Math.min(columns, left + BLOCK);
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++)
          out[column * rows + row] = matrix[row * columns + column]!;
    }
  return out;
}
