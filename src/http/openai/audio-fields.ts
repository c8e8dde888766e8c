/** The fields of OpenAI's audio endpoints, and the options of ours that they amount to. */
import * as z from 'zod';
import { DEFAULT_OPTIONS, type Task } from '../../domain/options.ts';
import { type Abilities, failureOf } from '../options.ts';
import { type Field, refusalOf } from './form-fields.ts';
import { checkModel } from './models.ts';
import { params } from './problem.ts';

/** The forms in which a transcript is answered. */
export const RESPONSE_FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const;
export type ResponseFormat = (typeof RESPONSE_FORMATS)[number];

/** How a client wants to have its transcript. */
export interface Wishes {
  readonly format: ResponseFormat;
  readonly task: Task;
  /** Whether text is sent as it comes. */
  readonly stream: boolean;
  /** What `verbose_json` tells the times of. */
  readonly segments: boolean;
  readonly words: boolean;
}

/** Fields that the vendor takes and that are refused here, with the reason. */
export const REFUSED: ReadonlyMap<string, string> = new Map([
  ['include', 'include: the probabilities of single tokens (logprobs) are not kept.'],
  ['known_speaker_names', 'known_speaker_names: speakers are not told apart.'],
  ['known_speaker_references', 'known_speaker_references: speakers are not told apart.'],
]);

/** What the vendor's voice activity detector has where nothing is said, and ours in any case. */
const THRESHOLD = 0.5;

const MAX_PROMPT = 2000;

/** One value stands for a list of one. */
const list = <T extends z.ZodType>(item: T) =>
  z.preprocess((given) => (Array.isArray(given) ? given : [given]), z.array(item)).optional();

/** Null is a word in a form. */
const nullable = <T extends z.ZodType>(value: T) =>
  z.preprocess((given) => (given === 'null' ? undefined : given), value.optional()).optional();

const number = z.string().trim().min(1).pipe(z.coerce.number());

const vad = z.strictObject({
  type: z.literal('server_vad'),
  threshold: z.coerce.number().min(0).max(1).optional(),
  prefix_padding_ms: z.coerce.number().min(0).optional(),
  silence_duration_ms: z.coerce.number().int().min(100).max(5000).optional(),
});

/** `auto`, or an object: member by member, or as JSON. */
const chunkingStrategy = z.preprocess(
  (given) => {
    if (given === 'auto') return { type: 'auto' };
    if (typeof given !== 'string') return given;
    try {
      return JSON.parse(given);
    } catch {
      return { type: given };
    }
  },
  z.discriminatedUnion('type', [z.strictObject({ type: z.literal('auto') }), vad]),
);

const common = {
  model: z.string({ error: ({ input }) => (input === undefined ? 'is missing' : 'must be given once') }),
  prompt: z.string().max(MAX_PROMPT).optional(),
  temperature: number.pipe(z.number().min(0).max(1)).optional(),
  response_format: z.enum(RESPONSE_FORMATS).default('json'),
};

const translationFields = z.strictObject(common);

const transcriptionFields = z.strictObject({
  ...common,
  language: z.string().optional(),
  languages: list(z.string()),
  keywords: list(z.string().trim().min(1)),
  stream: nullable(z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] })),
  timestamp_granularities: list(z.enum(['word', 'segment'])),
  chunking_strategy: nullable(chunkingStrategy),
});

const SCHEMAS = { transcribe: transcriptionFields, translate: translationFields };

/** What may be asked for at either endpoint; translations know less of it. */
type Asked = z.output<typeof translationFields> & Partial<z.output<typeof transcriptionFields>>;

/** Whether an endpoint takes a field of that name. */
export const isField = (task: Task, name: string): boolean => Object.hasOwn(SCHEMAS[task].shape, name);

function check(task: Task, fields: Readonly<Record<string, Field>>): Asked {
  if (fields.response_format === 'diarized_json')
    throw refusalOf(
      'response_format',
      'response_format: diarized_json is not given: speakers are not told apart.',
    );
  const { data, error } = SCHEMAS[task].safeParse(fields);
  if (!error) return data;
  const failure = failureOf(error);
  const { path } = error.issues[0]!;
  params.set(failure, path.filter((part) => typeof part === 'string').join('.'));
  throw failure;
}

/**
 * Reads all fields of a form but the file.
 * @returns How to answer, and the session's options as they are written in JSON.
 * @throws Failure `bad_request`, `unsupported_option`, `not_found` for a model that is not served; each with its field.
 */
export function readFields(
  task: Task,
  fields: Readonly<Record<string, Field>>,
  abilities: Abilities,
): { wishes: Wishes; options: object } {
  const asked = check(task, fields);
  checkModel(asked.model, abilities);
  if (asked.temperature !== undefined && asked.temperature !== 0)
    throw refusalOf(
      'temperature',
      'temperature: only 0, the most probable text; what a guard rejects is tried again with some chance.',
    );
  const { stream = false, timestamp_granularities: granularities, response_format: format } = asked;
  if (granularities && format !== 'verbose_json')
    throw refusalOf(
      'timestamp_granularities',
      'timestamp_granularities: only with response_format verbose_json.',
    );
  if (stream && format !== 'json' && format !== 'text')
    throw refusalOf('response_format', `response_format: what is streamed is text, and cannot be ${format}.`);
  const words = granularities?.includes('word') ?? false;
  const prompt = promptOf(asked);
  const silenceMs = silenceOf(asked);
  return {
    wishes: { format, task, stream, words, segments: granularities?.includes('segment') ?? true },
    options: {
      task,
      model: asked.model,
      language: languageOf(asked, abilities),
      words,
      ...(prompt !== null && { prompt }),
      ...(silenceMs !== null && { endpointing: { ...DEFAULT_OPTIONS.endpointing, silenceMs } }),
    },
  };
}

function languageOf({ language, languages }: Asked, abilities: Abilities): string {
  if (languages && (language !== undefined || languages.length > 1))
    throw refusalOf(
      'languages',
      'languages: one language can be expected, or any; leave it out to have it detected.',
    );
  const name = languages ? 'languages' : 'language';
  const given = language ?? languages?.[0];
  if (given === undefined) return 'auto';
  if (!/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(given))
    throw refusalOf(name, `${name}: must be a code of ISO 639-1, such as en.`, 'bad_request');
  if (!abilities.languages.includes(given.split('-')[0]!.toLowerCase()))
    throw refusalOf(name, `${name}: ${abilities.modelName} does not know ${given}.`);
  return given;
}

/** Whisper takes what is to be expected as text that came before, whether that is a sentence or a list of names. */
function promptOf({ prompt, keywords }: Asked): string | null {
  const parts = [prompt?.trim(), keywords?.join(', ')].filter((part) => part);
  const whole = parts.join(' ');
  if (whole.length > MAX_PROMPT)
    throw refusalOf('keywords', `keywords: with the prompt ${MAX_PROMPT} characters at most.`, 'bad_request');
  return whole === '' ? null : whole;
}

function silenceOf({ chunking_strategy: chunking }: Asked): number | null {
  if (chunking?.type !== 'server_vad') return null;
  const { threshold, prefix_padding_ms: padding, silence_duration_ms: silenceMs } = chunking;
  if (threshold !== undefined && threshold !== THRESHOLD)
    throw refusalOf(
      'chunking_strategy.threshold',
      `chunking_strategy.threshold: speech is told from other sound at ${THRESHOLD}, which cannot be changed.`,
    );
  if (padding !== undefined)
    throw refusalOf(
      'chunking_strategy.prefix_padding_ms',
      'chunking_strategy.prefix_padding_ms: what is kept before speech cannot be changed.',
    );
  return silenceMs ?? null;
}
