import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SpokenToken, spokenWords, wordSpans } from '../../src/whisper/spoken-words.ts';
import { tokenizer } from './model-folder.ts';

/** Tokens of 100 ms each. */
const spoken = (texts: readonly string[], probability = 0.5): SpokenToken[] =>
  texts.map((text, at) => ({ text, startMs: 100 * at, endMs: 100 * at + 100, probability }));
const wordsIn = (text: string): string[] => wordSpans(text).map(([from, to]) => text.slice(from, to));

describe('words of a text', () => {
  it.each([
    [' He was not an ill-disposed young man.', ['He', 'was', 'not', 'an', 'ill-disposed', 'young', 'man.']],
    ["“Don't!” she said - (quietly).", ["“Don't!”", 'she', 'said -', '(quietly).']],
    ['¿Qué? — Nada', ['¿Qué? —', 'Nada']],
    [' 감사합니다. 안녕히 계세요.', ['감사합니다.', '안녕히', '계세요.']],
    ['私は学生です。「はい」', ['私', 'は', '学生', 'です。', '「はい」']],
    ['我用iPhone打电话。', ['我', '用', 'iPhone', '打电话。']],
    ['- One', ['- One']],
    ['...', []],
    ['', []],
  ])('%j', (text, words) => {
    expect(wordsIn(text)).toEqual(words);
  });

  it('leaves out nothing but spaces, in any text that has a word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const spans = wordSpans(text);
        if (spans.length === 0) {
          expect(text).not.toMatch(/[\p{L}\p{N}]/u);
          return;
        }
        let end = 0;
        for (const [from, to] of [...spans, [text.length, text.length] as const]) {
          expect(text.slice(end, from).trim()).toBe('');
          end = to;
        }
      }),
    );
  });
});

describe('tokens as words', () => {
  it('are joined up to the next space, with their times and their mean probability', () => {
    const tokens = spoken([' ill', '-', 'dis', 'posed', ' man', '.']);
    tokens[0] = { ...tokens[0]!, probability: 1 };
    expect(spokenWords(tokens)).toEqual([
      { text: 'ill-disposed', startMs: 0, endMs: 400, confidence: 0.625 },
      { text: 'man.', startMs: 400, endMs: 600, confidence: 0.5 },
    ]);
  });

  it('begin with the first byte of their first character', () => {
    expect(spokenWords(spoken([' a', ' ', '', '각', '', '나']))).toMatchObject([
      { text: 'a', startMs: 0, endMs: 100 },
      { text: '각나', startMs: 100, endMs: 600 },
    ]);
  });

  it('share the time of a token that two of them share', () => {
    expect(spokenWords(spoken(['私は', '学生']))).toMatchObject([
      { text: '私', startMs: 0, endMs: 50 },
      { text: 'は', startMs: 50, endMs: 100 },
      { text: '学生', startMs: 100, endMs: 200 },
    ]);
  });

  it.each([
    ' Had he married a more amiable woman, he might.',
    ' 값을 읽고 뷁 넑은 마음.',
    '私は学生です。「はい」',
    ' 🙂 ok 👩‍👩‍👧 fine',
  ])('have the text of the tokens and go forward: %j', (text) => {
    const tokens = tokenizer();
    const ids = tokens.encode(text);
    const pieces = tokens.pieces(ids);
    expect(pieces).toHaveLength(ids.length);
    expect(pieces.join('')).toBe(text);
    const words = spokenWords(spoken(pieces));
    expect(words.map((word) => word.text)).toEqual(wordsIn(text));
    const times = words.flatMap(({ startMs, endMs }) => [startMs, endMs]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});
