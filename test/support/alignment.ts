/** Two rows of words laid side by side: where one has a word that the other has not. */

export type Difference =
  /** Another word, at `heard` in the heard ones. */
  | { readonly kind: 'changed'; readonly heard: number }
  /** A word too many. */
  | { readonly kind: 'added'; readonly heard: number }
  /** A word is missing before word `heard`. */
  | { readonly kind: 'missing'; readonly heard: number };

/** The fewest differences (Levenshtein) between what was heard and what was said, in order. */
export function differences(heard: readonly string[], said: readonly string[]): Difference[] {
  const width = said.length + 1;
  const cost = new Uint32Array((heard.length + 1) * width);
  const costOf = (i: number, j: number): number => cost[i * width + j]!;
  const change = (i: number, j: number): number => (heard[i - 1] === said[j - 1] ? 0 : 1);
  for (let i = 0; i <= heard.length; i++)
    for (let j = 0; j <= said.length; j++) {
      const ways: number[] = [];
      if (i > 0 && j > 0) ways.push(costOf(i - 1, j - 1) + change(i, j));
      if (i > 0) ways.push(costOf(i - 1, j) + 1);
      if (j > 0) ways.push(costOf(i, j - 1) + 1);
      cost[i * width + j] = ways.length > 0 ? Math.min(...ways) : 0;
    }
  const found: Difference[] = [];
  let [i, j] = [heard.length, said.length];
  while (i > 0 || j > 0)
    if (i > 0 && j > 0 && costOf(i, j) === costOf(i - 1, j - 1) + change(i, j)) {
      if (change(i, j) > 0) found.push({ kind: 'changed', heard: i - 1 });
      i--;
      j--;
    } else if (i > 0 && costOf(i, j) === costOf(i - 1, j) + 1) found.push({ kind: 'added', heard: --i });
    else {
      found.push({ kind: 'missing', heard: i });
      j--;
    }
  return found.reverse();
}

/** The differences no more than `reach` words away from a cut before word `cut`. */
export const near = (found: readonly Difference[], cut: number, reach: number): Difference[] =>
  found.filter(({ kind, heard }) => {
    const place = kind === 'missing' ? heard - 0.5 : heard;
    return Math.abs(place - (cut - 0.5)) <= reach;
  });
