import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WhisperTokenizer } from '../../src/whisper/tokens.ts';
import { modelFolder, tokenizer } from './model-folder.ts';

const tokens = tokenizer();

/** The reference implementation, with the first merge that is missing in the bundled file ("Ġ t" for token 256). */
function reference(): Tokenizer {
  const json = JSON.parse(readFileSync(join(modelFolder, 'tokenizer.json'), 'utf8'));
  json.model.merges.unshift('Ġ t');
  return new Tokenizer(json, {});
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'grapheme-ascii' }),
  fc.string({ unit: fc.integer({ min: 0xac00, max: 0xd7a3 }).map((code) => String.fromCodePoint(code)) }),
);

describe('the tokenizer', () => {
  it.each([
    [' Had he married', [12298, 415, 5259]],
    ['안녕하세요', [49200, 12831, 15377]],
    [' the', [264]],
    [" that they've 1234 times", [300, 436, 600, 2272, 12249, 1413]],
  ])('encodes %j as Whisper does', (text, expected) => {
    expect(tokens.encode(text)).toEqual(expected);
  });

  it('gives back every text it encodes', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(!text.includes('\ufffd'));
        expect(tokens.decode(tokens.encode(text))).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  it('encodes every text as the reference does', () => {
    const other = reference();
    const files = ['README.md', 'README.ko.md'].map((name) => readFileSync(name, 'utf8').split('\n'));
    const same = (text: string) => {
      const { ids } = other.encode(text, { add_special_tokens: false });
      expect(tokens.encode(text)).toEqual(ids);
    };
    for (const line of files.flat()) same(line);
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(!text.includes('<|'));
        same(text);
      }),
      { numRuns: 200 },
    );
  });

  it('encodes a word without an end, too', () => {
    const word = '가나다라마바사'.repeat(300);
    expect(tokens.decode(tokens.encode(word))).toBe(word);
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
    expect(tokens.decode(ids)).toBe('a <|endoftext|><|startoftranscript|> b');
  });

  it('refuses a file without a vocabulary', () => {
    expect(() => new WhisperTokenizer({ model: {} }, 50_257)).toThrow('no vocabulary');
  });
});
