/** Languages as Whisper, and so OpenAI, names them: in English, in small letters. */

/** Where Unicode's data (CLDR) name a language otherwise today. */
const WHISPER_NAMES: Readonly<Record<string, string>> = {
  bn: 'bengali',
  mi: 'maori',
  my: 'myanmar',
  nn: 'nynorsk',
  tl: 'tagalog',
};

const english = new Intl.DisplayNames(['en'], { type: 'language' });

/**
 * @param tag BCP 47, of which only the language counts.
 * @returns `unknown` for the tag of no language: `auto`, where nothing was said, and `und`.
 */
export function languageNameOf(tag: string): string {
  const code = tag.split('-')[0]!.toLowerCase();
  if (code === 'auto' || code === 'und') return 'unknown';
  return WHISPER_NAMES[code] ?? english.of(code)!.toLowerCase();
}
