/** What may be asked of live and of recorded audio alike, and what of a session's options comes of it. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { AudioEncoding, AudioFormat, SessionOptions } from '../../domain/options.ts';
import { type Abilities, readOptions } from '../options.ts';
import { flag, one, refused, several, whole } from './parameters.ts';

const MAX_TAGS = 16;
const MAX_EXTRAS = 16;
/** What fits into a session's prompt. */
const MAX_KEYTERM_CHARS = 2000;
/** What fits into a value of a session's metadata, and into its name behind the prefix. */
const MAX_VALUE_CHARS = 1024;
const MAX_NAME_CHARS = 48;

const extra = several
  .max(MAX_EXTRAS, `may be given ${MAX_EXTRAS} times`)
  .refine((pairs) => pairs.every((pair) => pair.indexOf(':') > 0), 'must be key:value')
  .transform((pairs) =>
    pairs.map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)] as const),
  )
  .refine(
    (pairs) => pairs.every(([key, value]) => key.length <= MAX_NAME_CHARS && value.length <= MAX_VALUE_CHARS),
    `may have ${MAX_NAME_CHARS} characters before the colon and ${MAX_VALUE_CHARS} after it`,
  );

const NO_FORMATTING = 'the text is as the recogniser writes it';
const NO_UNDERSTANDING = 'the text is transcribed and not interpreted';
const NO_SPEAKERS = 'speakers are not told apart; multichannel keeps channels apart';

/** In the order of Deepgram's reference. */
export const commonParameters = {
  model: one.optional(),
  version: one
    .pipe(z.literal('latest', 'must be latest: this node serves one version of its model'))
    .optional(),
  language: one.optional(),
  encoding: one.optional(),
  sample_rate: whole(4000, 192_000).optional(),
  channels: whole(1, 8).optional(),
  multichannel: flag.default(false),
  punctuate: flag.optional(),
  smart_format: flag.optional(),
  filler_words: flag.optional(),
  keyterm: several
    .refine(
      (terms) => terms.join(', ').length <= MAX_KEYTERM_CHARS,
      `may have ${MAX_KEYTERM_CHARS} characters in all`,
    )
    .default([]),
  tag: several
    .max(MAX_TAGS, `may be given ${MAX_TAGS} times`)
    .refine(
      (tags) => tags.join(',').length <= MAX_VALUE_CHARS,
      `may have ${MAX_VALUE_CHARS} characters in all`,
    )
    .default([]),
  extra: extra.default([]),
  mip_opt_out: flag.optional(),
  detect_entities: refused(NO_UNDERSTANDING),
  diarize: refused(NO_SPEAKERS),
  diarize_model: refused(NO_SPEAKERS),
  dictation: refused(NO_FORMATTING),
  keywords: refused('use keyterm'),
  numerals: refused(NO_FORMATTING),
  profanity_filter: refused(NO_FORMATTING),
  redact: refused(NO_FORMATTING),
  replace: refused(NO_FORMATTING),
  search: refused('search the transcript'),
};

/** Of what is only asked of recordings. */
export const UNINTERPRETED = refused(NO_UNDERSTANDING);
/** Of what is only asked of recordings. */
export const UNFORMATTED = refused(NO_FORMATTING);

export type CommonParameters = z.output<z.ZodObject<typeof commonParameters>>;

/** How the text is written. */
export interface Writing {
  /** Small letters without punctuation. */
  readonly isPlain: boolean;
}

/** The transcript is punctuated unless that is refused outright. */
export const writingOf = ({ punctuate, smart_format }: CommonParameters): Writing => ({
  isPlain: punctuate === false && smart_format !== true,
});

const RAW: Readonly<Record<string, AudioEncoding>> = {
  linear16: 'pcm_s16le',
  // Deepgram's reference: 32-bit floating-point PCM.
  linear32: 'pcm_f32le',
  mulaw: 'mulaw',
  alaw: 'alaw',
};

/** Encodings that say of themselves what they are. */
const CONTAINERS = new Set(['flac', 'ogg-opus']);

/** What the bytes are. */
export function audioOf({ encoding, sample_rate, channels }: CommonParameters): AudioFormat {
  if (encoding === undefined || CONTAINERS.has(encoding))
    return { encoding: 'container', sampleRateHz: 16_000, channels: 1 };
  const raw = RAW[encoding];
  if (!raw)
    throw new Failure(
      'unsupported_option',
      `encoding: ${encoding} is not supported: send ${Object.keys(RAW).join(', ')}, ${[...CONTAINERS].join(', ')} or a container.`,
    );
  if (sample_rate === undefined)
    throw new Failure('bad_request', `sample_rate: is needed where encoding is ${encoding}.`);
  return { encoding: raw, sampleRateHz: sample_rate, channels: channels ?? 1 };
}

/** Deepgram's name for several languages at once. */
const SEVERAL_LANGUAGES = 'multi';
/** What Deepgram takes to be spoken where nothing is said. */
const DEFAULT_LANGUAGE = 'en';

/** BCP 47, or `auto`. */
export const languageOf = (language: string = DEFAULT_LANGUAGE): string =>
  language === SEVERAL_LANGUAGES ? 'auto' : language;

/** What a session tells of the request it came by. */
export function metadataOf({ tag, extra }: CommonParameters, requestId: string): Record<string, string> {
  return {
    protocol: 'deepgram',
    requestId,
    ...(tag.length > 0 && { tag: tag.join(',') }),
    ...Object.fromEntries(extra.map(([key, value]) => [`extra.${key}`, value])),
  };
}

/**
 * The options of a session.
 * @param more Beyond what is common.
 * @throws Failure `unsupported_option` where this node cannot do it.
 */
export function optionsOf(
  parameters: CommonParameters,
  requestId: string,
  abilities: Abilities,
  more: object,
): SessionOptions {
  const { model, language, keyterm } = parameters;
  return readOptions(
    {
      language: languageOf(language),
      // `nova-3` is short for `nova-3-general`.
      model: model?.replace(/-general$/, '') ?? null,
      audio: audioOf(parameters),
      words: true,
      prompt: keyterm.length > 0 ? keyterm.join(', ') : null,
      metadata: metadataOf(parameters, requestId),
      ...more,
    },
    abilities,
  );
}

/** The same for one channel of several, which is heard by itself. */
export const ofChannel = (options: SessionOptions, channel: number): SessionOptions => ({
  ...options,
  audio: { ...options.audio, channel },
  metadata: { ...options.metadata, channel: String(channel) },
});
