import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Draft } from '../../src/whisper/draft.ts';

const after = (draft: readonly number[], text: readonly number[]): readonly number[] => {
  const followed = new Draft(draft);
  for (const token of text) followed.follow(token);
  return followed.ahead(100);
};

describe('a draft', () => {
  it.each([
    ['goes on where it holds', [1, 2, 3, 4], [1, 2], [3, 4]],
    ['goes on behind a token that was exchanged', [1, 2, 3, 4], [1, 9], [3, 4]],
    ['goes on behind tokens that were left out', [1, 2, 3, 4, 5], [1, 4], [5]],
    ['is lost where two in a row are strange', [1, 2, 3, 4], [1, 8, 9], []],
    ['is found again where one of its next tokens comes', [1, 2, 3, 4, 5], [1, 8, 9, 3], [4, 5]],
    ['is not looked for further on than that', [1, 2, 3, 4, 5, 6], [6], [2, 3, 4, 5, 6]],
    ['ends with its last token', [1, 2], [1, 2], []],
    ['is over where it was too short', [1, 2], [1, 2, 3], []],
    ['may be nothing', [], [1], []],
  ])('%s', (_name, draft, text, expected) => {
    expect(after(draft, text)).toEqual(expected);
  });

  it('gives no more than is asked for, and a few at the most', () => {
    const draft = new Draft(Array.from({ length: 50 }, (_, i) => i));
    expect(draft.ahead(3)).toEqual([0, 1, 2]);
    expect(draft.ahead(0)).toEqual([]);
    expect(draft.ahead(50).length).toBeLessThan(20);
  });

  it('expects only what stands in it, in its order', () => {
    const tokens = fc.array(fc.nat(5), { maxLength: 30 });
    fc.assert(
      fc.property(tokens, tokens, (draft, text) => {
        expect(`,${draft.join()},`).toContain([...after(draft, text), ''].join());
      }),
    );
  });
});
