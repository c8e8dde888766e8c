/** The configuration of a Realtime transcription session: what clients may set, how it adds up, and what it means for us. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { type AudioFormat, DEFAULT_OPTIONS, type SessionOptions } from '../../domain/options.ts';
import { toStreamMs } from '../../domain/time.ts';
import { ENTER, PRE_ROLL } from '../../speech/endpointing.ts';
import { type Abilities, failureOf } from '../options.ts';
import { params } from './problem.ts';

/** What sessions of this face carry in their metadata, to be told from others. */
export const METADATA = { protocol: 'openai-realtime' } as const;

const MAX_PROMPT = 2000;

const FORMATS = {
  'audio/pcm': { encoding: 'pcm_s16le', sampleRateHz: 24_000, channels: 1 },
  'audio/pcmu': { encoding: 'mulaw', sampleRateHz: 8000, channels: 1 },
  'audio/pcma': { encoding: 'alaw', sampleRateHz: 8000, channels: 1 },
} as const satisfies Record<string, AudioFormat>;

/** In the place of a model that knows when somebody has finished: how long a silence is waited for. */
const EAGERNESS_SILENCE_MS = { low: 2000, medium: 1000, auto: 1000, high: 500 } as const;

const format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.literal(24_000).default(24_000) }),
  z.strictObject({ type: z.literal('audio/pcmu') }),
  z.strictObject({ type: z.literal('audio/pcma') }),
]);

/** Taken since clients send them: there are no responses in a transcription session, here or there. */
const ofResponses = { create_response: z.boolean().optional(), interrupt_response: z.boolean().optional() };

const noiseReduction = z.strictObject({
  type: z.enum(['near_field', 'far_field']).optional(),
  strength: z.number().optional(),
});

const transcription = z.strictObject({
  model: z.string().min(1).max(200).nullish(),
  language: z.string().max(35).nullish(),
  languages: z.array(z.string().min(1).max(35)).max(1, 'one language can be expected, or any').optional(),
  prompt: z.string().max(MAX_PROMPT).nullish(),
  keywords: z.array(z.string().trim().min(1)).nullish(),
});

const serverVad = z.strictObject({
  type: z.literal('server_vad'),
  threshold: z.number().min(0).max(1).nullish(),
  prefix_padding_ms: z.int().min(0).nullish(),
  silence_duration_ms: z.int().min(100).max(5000).nullish(),
  idle_timeout_ms: z.null().optional(),
  ...ofResponses,
});

const semanticVad = z.strictObject({
  type: z.literal('semantic_vad'),
  eagerness: z.enum(['low', 'medium', 'high', 'auto']).nullish(),
  ...ofResponses,
});

const update = z.strictObject({
  type: z
    .string()
    .refine(
      (type) => type === 'transcription',
      'only transcription is served here, not speech to speech (realtime)',
    )
    .optional(),
  audio: z
    .strictObject({
      input: z
        .strictObject({
          format: format.nullish(),
          noise_reduction: noiseReduction.nullish(),
          transcription: transcription.nullish(),
          turn_detection: z.discriminatedUnion('type', [serverVad, semanticVad]).nullish(),
        })
        .nullish(),
    })
    .nullish(),
  include: z
    .array(z.string())
    .refine((names) => names.length === 0, {
      error: ({ input }) => `${(input as string[])[0]} is not served here`,
    })
    .nullish(),
});

/** A session's configuration as clients give it, whole or in part. */
export const settingsSchema = update.meta({ id: 'RealtimeTranscriptionSession' });

export type TurnDetection =
  | {
      readonly type: 'server_vad';
      readonly threshold: number;
      readonly prefix_padding_ms: number;
      readonly silence_duration_ms: number;
      readonly idle_timeout_ms: null;
    }
  | { readonly type: 'semantic_vad'; readonly eagerness: keyof typeof EAGERNESS_SILENCE_MS };

/** The whole configuration in effect, in OpenAI's shape. */
export interface RealtimeSettings {
  readonly type: 'transcription';
  readonly audio: {
    readonly input: {
      readonly format: z.output<typeof format>;
      /** Null whatever was asked for: nothing is filtered, and that is not to be passed off as if it were. */
      readonly noise_reduction: null;
      readonly transcription: {
        readonly model: string;
        readonly language: string | null;
        readonly prompt: string;
        readonly keywords: readonly string[];
      };
      readonly turn_detection: TurnDetection | null;
    };
  };
  readonly include: readonly [];
}

/** Threshold and padding as they are: our own detector's, which takes no others. */
const SERVER_VAD: TurnDetection & { type: 'server_vad' } = {
  type: 'server_vad',
  threshold: ENTER,
  prefix_padding_ms: toStreamMs(PRE_ROLL),
  silence_duration_ms: DEFAULT_OPTIONS.endpointing.silenceMs,
  idle_timeout_ms: null,
};

/** The configuration of a session of which nothing was asked. @param modelName The node's model. */
export const initialSettings = (modelName: string): RealtimeSettings => ({
  type: 'transcription',
  audio: {
    input: {
      format: { type: 'audio/pcm', rate: 24_000 },
      noise_reduction: null,
      transcription: { model: modelName, language: null, prompt: '', keywords: [] },
      turn_detection: SERVER_VAD,
    },
  },
  include: [],
});

/**
 * Takes in what a client gives: fields that are there replace what was, null sets back to the default, and switches
 * turn detection off.
 * @param given The `session` of the client's message.
 * @throws Failure `bad_request`, `unsupported_option`, naming the field; its path is in {@link params} too.
 */
export function updated(before: RealtimeSettings, given: unknown, abilities: Abilities): RealtimeSettings {
  const { data, error } = z.object({ session: update }).safeParse({ session: given });
  if (error) {
    const failure = failureOf(error);
    const { path, ...issue } = error.issues[0]!;
    const keys = issue.code === 'unrecognized_keys' ? [issue.keys[0]!] : [];
    params.set(failure, [...path, ...keys].join('.'));
    throw failure;
  }
  const input = data.session.audio?.input;
  if (!input) return before;
  const was = before.audio.input;
  const initial = initialSettings(abilities.modelName).audio.input;
  const { transcription, turn_detection } = input;
  return {
    ...before,
    audio: {
      input: {
        format: input.format === undefined ? was.format : (input.format ?? initial.format),
        noise_reduction: null,
        transcription:
          transcription === undefined
            ? was.transcription
            : withTranscription(was.transcription, transcription ?? NOTHING, abilities),
        turn_detection:
          turn_detection === undefined
            ? was.turn_detection
            : turn_detection && withTurnDetection(was.turn_detection, turn_detection),
      },
    },
  };
}

type Transcription = RealtimeSettings['audio']['input']['transcription'];
type GivenTranscription = z.output<typeof transcription>;

/** What null means for the whole: there is nothing but transcription here that could be switched off. */
const NOTHING: GivenTranscription = { model: null, language: null, prompt: null, keywords: null };

function withTranscription(
  was: Transcription,
  given: GivenTranscription,
  abilities: Abilities,
): Transcription {
  const { model, prompt, keywords } = given;
  const language = given.language ?? given.languages?.[0] ?? given.language;
  if (model) checkModel(model, 'session.audio.input.transcription.model', abilities);
  const [code] = language?.toLowerCase().split('-') ?? [];
  if (code && !abilities.languages.includes(code))
    throw beyond('session.audio.input.transcription.language', `${abilities.modelName} does not know it`);
  const next = {
    model: model === undefined ? was.model : (model ?? abilities.modelName),
    language: language === undefined ? was.language : language || null,
    prompt: prompt === undefined ? was.prompt : (prompt ?? ''),
    keywords: keywords === undefined ? was.keywords : (keywords ?? []),
  };
  if ((expectedOf(next)?.length ?? 0) > MAX_PROMPT)
    throw beyond(
      'session.audio.input.transcription.keywords',
      `with the prompt, ${MAX_PROMPT} characters at most`,
    );
  return next;
}

function withTurnDetection(
  was: TurnDetection | null,
  given: z.output<typeof serverVad> | z.output<typeof semanticVad>,
): TurnDetection {
  if (given.type === 'semantic_vad') {
    const before = was?.type === 'semantic_vad' ? was.eagerness : 'auto';
    const { eagerness } = given;
    return { type: 'semantic_vad', eagerness: eagerness === undefined ? before : (eagerness ?? 'auto') };
  }
  const before = was?.type === 'server_vad' ? was : SERVER_VAD;
  const { silence_duration_ms: silence } = given;
  return {
    ...SERVER_VAD,
    silence_duration_ms:
      silence === undefined ? before.silence_duration_ms : (silence ?? SERVER_VAD.silence_duration_ms),
  };
}

/** @throws Failure `unsupported_option` for a model that is not served, naming `field`. */
export function checkModel(model: string, field: string, abilities: Abilities): void {
  const known = [abilities.modelName, ...abilities.modelAliases];
  if (!known.includes(model)) throw beyond(field, `this node serves ${abilities.modelName}, not ${model}`);
}

function beyond(field: string, why: string): Failure {
  const failure = new Failure('unsupported_option', `${field}: ${why}.`);
  params.set(failure, field);
  return failure;
}

/** The configuration in the words of our own sessions. */
export function sessionOptionsOf({ audio: { input } }: RealtimeSettings): SessionOptions {
  const { transcription, turn_detection } = input;
  return {
    ...DEFAULT_OPTIONS,
    language: transcription.language ?? 'auto',
    prompt: expectedOf(transcription),
    audio: FORMATS[input.format.type],
    endpointing: { ...DEFAULT_OPTIONS.endpointing, silenceMs: silenceMsOf(turn_detection) },
    metadata: METADATA,
  };
}

/** Whisper takes what is to be expected as text that came before, whether that is a sentence or a list of names. */
function expectedOf({ prompt, keywords }: Transcription): string | null {
  return [prompt, keywords.join(', ')].filter((part) => part !== '').join(' ') || null;
}

function silenceMsOf(turnDetection: TurnDetection | null): number {
  switch (turnDetection?.type) {
    case 'server_vad':
      return turnDetection.silence_duration_ms;
    case 'semantic_vad':
      return EAGERNESS_SILENCE_MS[turnDetection.eagerness];
    case undefined:
      return DEFAULT_OPTIONS.endpointing.silenceMs;
  }
}
