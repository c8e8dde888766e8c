/**
 * An upper estimate of a text's tokens where the tokenizer is not known. English is about 4 letters a token in
 * the vocabularies in use; Hangul, kana and Han between half a token and one and a half a character.
 */
export function approximateTokens(text: string): number {
  let ascii = 0;
  let others = 0;
  for (const character of text) {
    if (character <= '\u007f') ascii++;
    else others++;
  }
  return Math.ceil(ascii / 3 + others);
}
