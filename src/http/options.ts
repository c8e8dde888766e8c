/** What clients may ask for, checked: a session's options as JSON and as the dotted query of `/v1/stream`. */
import * as z from 'zod';
import { Failure } from '../domain/failure.ts';
import { DEFAULT_OPTIONS, type SessionOptions, SUMMARISE } from '../domain/options.ts';

const MAX_METADATA = 32;

const audio = z
  .strictObject({
    encoding: z
      .enum(['pcm_s16le', 'pcm_f32le', 'mulaw', 'alaw', 'container'])
      .default('pcm_s16le')
      .describe('`container`: webm, ogg, mp4, mp3, flac or wav, told by its first bytes.'),
    sampleRateHz: z.int().min(4000).max(192_000).default(16_000),
    channels: z.int().min(1).max(8).default(1).describe('Interleaved; mixed down to one.'),
    channel: z
      .int()
      .min(0)
      .max(31)
      .nullable()
      .default(null)
      .describe('The only channel to hear, counted from 0; all where it is null.'),
  })
  .refine(({ encoding, channels, channel }) => encoding === 'container' || (channel ?? 0) < channels, {
    path: ['channel'],
    message: 'must be one of the channels, counted from 0',
  })
  .meta({ id: 'AudioFormat' });

const endpointing = z
  .strictObject({
    silenceMs: z.int().min(100).max(5000).default(DEFAULT_OPTIONS.endpointing.silenceMs),
    maxUtteranceMs: z.int().min(2000).max(28_000).default(DEFAULT_OPTIONS.endpointing.maxUtteranceMs),
  })
  .meta({ id: 'Endpointing' });

const llm = z.strictObject({
  instructions: z.string().trim().min(1).max(8000).default(SUMMARISE.instructions),
  trigger: z.enum(['utterance', 'sessionEnd']).default(SUMMARISE.trigger),
  maxTokens: z.int().min(1).max(4096).default(SUMMARISE.maxTokens),
});

const LANGUAGE_TAG = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/;

/** The options of a session as a client writes them. */
export const optionsSchema = z
  .strictObject({
    language: z
      .string()
      .refine(
        (tag) => tag === 'auto' || LANGUAGE_TAG.test(tag),
        'must be a BCP 47 tag such as ko or en-US, or auto',
      )
      .default('auto'),
    task: z
      .enum(['transcribe', 'translate'])
      .default('transcribe')
      .describe('`translate`: the text is English, `language` still what was spoken.'),
    model: z.string().min(1).max(200).nullable().default(null),
    audio: audio.prefault({}),
    partials: z.boolean().default(true),
    words: z.boolean().default(false),
    prompt: z.string().max(2000).nullable().default(null).describe('Names and terms to expect.'),
    endpointing: endpointing.prefault({}),
    llm: z.union([z.boolean(), llm]).nullable().default(null).describe('`true`: a summary at the end.'),
    webhook: z.strictObject({ url: z.url() }).nullable().default(null),
    metadata: z
      .record(z.string().min(1).max(64), z.string().max(1024))
      .refine((entries) => Object.keys(entries).length <= MAX_METADATA, `at most ${MAX_METADATA} entries`)
      .default({}),
  })
  .meta({ id: 'SessionOptions' });

/** Whether sessions may have a webhook, and which. */
export interface WebhookAbility {
  /** @throws Failure `unsupported_option` where there are none, `address_not_allowed` for an address of the wrong kind */
  check(url: string): void;
}

/** What this node can do for a session; options beyond it are refused by name. */
export interface Abilities {
  readonly modelName: string;
  /** Names that mean the node's model, for clients of other services. */
  readonly modelAliases: readonly string[];
  /** Two- and three-letter codes. */
  readonly languages: readonly string[];
  /** Whether what is said can be put into English. */
  readonly translates: boolean;
  readonly llm: boolean;
  readonly webhooks: WebhookAbility;
}

/**
 * Checks options given as JSON.
 * @throws Failure `unsupported_option` where an option is unknown or beyond this node, `bad_request` where a
 * value is out of range; both name the option.
 */
export function readOptions(given: unknown, abilities: Abilities): SessionOptions {
  const { data, error } = optionsSchema.safeParse(given === undefined ? {} : given);
  if (error) throw failureOf(error);
  const options: SessionOptions = { ...data, llm: data.llm === true ? SUMMARISE : data.llm || null };
  refuseBeyond(options, abilities);
  return options;
}

/** Turns a zod error into the failure that names the first option at fault. */
export function failureOf(error: z.ZodError): Failure {
  const issue = error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const name = [...issue.path, issue.keys[0]!].join('.');
    return new Failure('unsupported_option', `There is no option ${name}.`);
  }
  const name = issue.path.join('.');
  return new Failure('bad_request', name === '' ? `${issue.message}.` : `${name}: ${issue.message}.`);
}

function refuseBeyond(options: SessionOptions, abilities: Abilities): void {
  const refuse = (message: string): never => {
    throw new Failure('unsupported_option', message);
  };
  const { model, language, task, webhook, llm: wanted } = options;
  if (model !== null && model !== abilities.modelName && !abilities.modelAliases.includes(model))
    refuse(`model: this node serves ${abilities.modelName}.`);
  const code = language.split('-')[0]!.toLowerCase();
  if (language !== 'auto' && !abilities.languages.includes(code))
    refuse(`language: ${abilities.modelName} does not know ${language}.`);
  if (task === 'translate' && !abilities.translates)
    refuse(`task: ${abilities.modelName} writes down what is said, and translates nothing.`);
  if (webhook) abilities.webhooks.check(webhook.url);
  if (wanted && !abilities.llm) refuse('llm: this node runs without a language model (LLM=off).');
}

/** Reads dotted query parameters (`audio.sampleRateHz=8000&llm=true`) as the JSON they stand for. */
export function optionsFromQuery(query: Readonly<Record<string, string>>): unknown {
  const root: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(query)) {
    const path = name.split('.');
    if (path.some((part) => part === '' || part === '__proto__'))
      throw new Failure('unsupported_option', `There is no option ${name}.`);
    let place = root;
    for (const part of path.slice(0, -1)) {
      const next = place[part];
      place = (place[part] = typeof next === 'object' && next !== null ? next : {}) as Record<
        string,
        unknown
      >;
    }
    place[path.at(-1)!] = valueFromQuery(path, text);
  }
  return root;
}

/** Options whose value is text even where it looks like a number or a flag. */
const TEXT = new Set(['language', 'task', 'model', 'prompt', 'instructions', 'url', 'encoding', 'trigger']);

function valueFromQuery(path: readonly string[], text: string): unknown {
  if (path[0] === 'metadata' || TEXT.has(path.at(-1)!)) return text;
  if (text === 'true') return true;
  if (text === 'false') return false;
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
