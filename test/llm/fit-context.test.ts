import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approximateTokens } from '../../src/llm/approximate-tokens.ts';
import { CUT_MARK, fitContext } from '../../src/llm/fit-context.ts';

const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;

describe('fitting a transcript', () => {
  it('leaves alone what fits', () => {
    expect(fitContext('One. Two.', 2, words)).toEqual({ text: 'One. Two.', droppedChars: 0 });
    expect(fitContext('', 0, words)).toEqual({ text: '', droppedChars: 0 });
  });

  it('keeps the newest sentences, and marks the cut', () => {
    const transcript = 'First we met. Then we spoke for long. At last we ate.';
    expect(fitContext(transcript, 10, words)).toEqual({
      text: '[…] Then we spoke for long. At last we ate.',
      droppedChars: 'First we met. '.length,
    });
  });

  it('cuts inside a sentence where whole ones would waste most of the room', () => {
    const transcript = 'and then and then and then we went on and on without a stop. Yes.';
    expect(fitContext(transcript, 8, words).text).toBe('[…] on and on without a stop. Yes.');
  });

  it('finds boundaries in languages without spaces', () => {
    const transcript = '今日は会議です。予算を話します。資料を準備してください。';
    expect(fitContext(transcript, 17, approximateTokens).text).toBe('[…] 資料を準備してください。');
    expect(fitContext(transcript, 9, approximateTokens).text).toBe('[…] してください。');
  });

  it('keeps nothing where there is no room', () => {
    for (const budget of [-5, 0, 1]) {
      expect(fitContext('One two three.', budget, words)).toEqual({ text: '', droppedChars: 14 });
    }
  });

  it('stays within the budget and always keeps an end of the transcript', () => {
    const word = fc.oneof(fc.constantFrom('yes. ', 'and ', '네. ', '회의는 ', '会議。', '🙂 '), fc.string());
    const text = fc.array(word, { maxLength: 200 }).map((all) => all.join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 120 }), (transcript, budget) => {
        const fitted = fitContext(transcript, budget, approximateTokens);
        const kept =
          fitted.text.startsWith(CUT_MARK) && fitted.droppedChars > 0
            ? fitted.text.slice(CUT_MARK.length)
            : fitted.text;
        expect(transcript.endsWith(kept)).toBe(true);
        expect(fitted.droppedChars).toBe(transcript.length - kept.length);
        expect(approximateTokens(fitted.text)).toBeLessThanOrEqual(budget);
      }),
    );
  });
});
