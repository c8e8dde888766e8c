/** Two rows of words laid side by side: where one has a word that the other has not. */

export type Difference =
  /** Another word, at `heard` in the heard ones. */
  | { readonly kind: 'changed'; readonly heard: number }
  /** A word too many. */
  | { readonly kind: 'added'; readonly heard: number }
  /** A word is missing before word `heard`. */
  | { readonly kind: 'missing'; readonly heard: number };

/** Words may stand so far from their place, beyond what the lengths differ by: bounds the work on long texts. */
const DRIFT = 300;

/**
 * The fewest differences (Levenshtein) between what was heard and what was said, in order. Where more than
 * {@link DRIFT} words are out of place in long texts, it may find more than the fewest.
 */
export function differences(heard: readonly string[], said: readonly string[]): Difference[] {
  const drift = DRIFT + Math.abs(heard.length - said.length);
  const width = 2 * drift + 1;
  // Row i has the costs at said words i − drift … i + drift.
  const costs = new Uint32Array((heard.length + 1) * width);
  const isInside = (i: number, j: number) => i >= 0 && j >= 0 && Math.abs(j - i) <= drift;
  const costOf = (i: number, j: number): number =>
    isInside(i, j) ? costs[i * width + j - i + drift]! : Number.POSITIVE_INFINITY;
  const change = (i: number, j: number): number => (heard[i - 1] === said[j - 1] ? 0 : 1);
  for (let i = 0; i <= heard.length; i++)
    for (let j = Math.max(0, i - drift); j <= Math.min(said.length, i + drift); j++)
      if (i > 0 || j > 0)
        costs[i * width + j - i + drift] = Math.min(
          costOf(i - 1, j - 1) + change(i, j),
          costOf(i - 1, j) + 1,
          costOf(i, j - 1) + 1,
        );
  const found: Difference[] = [];
  let [i, j] = [heard.length, said.length];
  while (i > 0 || j > 0)
    if (costOf(i, j) === costOf(i - 1, j - 1) + change(i, j)) {
      if (change(i, j) > 0) found.push({ kind: 'changed', heard: i - 1 });
      i--;
      j--;
    } else if (costOf(i, j) === costOf(i - 1, j) + 1) found.push({ kind: 'added', heard: --i });
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
