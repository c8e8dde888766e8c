/** Languages of an upstream: which may be asked for, and what its answers mean. */

/**
 * What the interface offers: Whisper's languages (Radford et al., 2022, and large-v3's Cantonese). An endpoint
 * does not list its own.
 */
export const LANGUAGES: readonly string[] = (
  'en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la ' +
  'mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be ' +
  'tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue'
).split(' ');

/** Names in OpenAI's answers that are not what Unicode's data (CLDR) call the language today. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  bengali: 'bn',
  burmese: 'my',
  castilian: 'es',
  flemish: 'nl',
  haitian: 'ht',
  javanese: 'jw',
  letzeburgesch: 'lb',
  mandarin: 'zh',
  maori: 'mi',
  moldavian: 'ro',
  moldovan: 'ro',
  myanmar: 'my',
  nynorsk: 'nn',
  panjabi: 'pa',
  pushto: 'ps',
  sinhalese: 'si',
  tagalog: 'tl',
  valencian: 'ca',
};

const english = new Intl.DisplayNames(['en'], { type: 'language' });
const CODES: ReadonlyMap<string, string> = new Map([
  ...LANGUAGES.map((code) => [english.of(code)!.toLowerCase(), code] as const),
  ...LANGUAGES.map((code) => [code, code] as const),
  ...Object.entries(OTHER_NAMES),
]);

/**
 * The code of a language as an answer names it: `en`, `en-US` or, at OpenAI, `english`. Null for what is none of
 * {@link LANGUAGES}.
 */
export function languageCodeOf(name: string): string | null {
  const lower = name.trim().toLowerCase();
  return CODES.get(lower) ?? CODES.get(lower.split(/[-_]/)[0]!) ?? null;
}
