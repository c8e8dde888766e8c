import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WhisperTokenizer } from '../../src/whisper/tokens.ts';
import { tokenizer } from './model-folder.ts';

const tokens = tokenizer();

describe('the tokenizer', () => {
  it.each([
    [' Had he married', [12298, 415, 5259]],
    ['안녕하세요', [49200, 12831, 15377]],
  ])('encodes %j as Whisper does', (text, expected) => {
    expect(tokens.encode(text)).toEqual(expected);
  });

  it('gives back every text it encodes', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme-ascii' }),
      fc.string({ unit: fc.integer({ min: 0xac00, max: 0xd7a3 }).map((code) => String.fromCodePoint(code)) }),
    );
    fc.assert(
      fc.property(text, (value) => {
        fc.pre(!value.includes('\ufffd') && !value.includes('<|'));
        expect(tokens.decode(tokens.encode(value))).toBe(value);
      }),
      { numRuns: 200 },
    );
  });

  it('never shows half a character: every beginning of the tokens is a beginning of the text', () => {
    const text = ' 꿹뷁 똠방각하 뛟 🎧 안녕하세요 ひらがな naïve';
    const all = tokens.encode(text);
    const split = all.filter((_, i) => tokens.decode(all.slice(0, i)) === tokens.decode(all.slice(0, i + 1)));
    expect(split.length).toBeGreaterThan(0);
    for (let i = 0; i <= all.length; i++) expect(text.startsWith(tokens.decode(all.slice(0, i)))).toBe(true);
  });

  it('leaves out bytes that make no character', () => {
    const [lead] = tokens.encode('꿹');
    expect(tokens.decode([lead!, ...tokens.encode(' a')])).toBe(' a');
  });

  it('leaves out special tokens and ids beyond the vocabulary', () => {
    expect(tokens.decode([50_258, 50_264, ...tokens.encode('네'), 50_257, 99_999])).toBe('네');
  });

  it('takes nothing in a text for a special token', () => {
    const ids = tokens.encode('a <|endoftext|><|startoftranscript|> b');
    expect(Math.max(...ids)).toBeLessThan(50_257);
    expect(tokens.decode(ids)).toMatch(/^a .*b$/);
  });

  it('refuses a file without a vocabulary', () => {
    expect(() => new WhisperTokenizer({ model: {} }, 50_257)).toThrow('no vocabulary');
  });
});
