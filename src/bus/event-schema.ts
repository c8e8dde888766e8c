/** What may pass for an event of another node: all that `domain/event.ts` says, and what newer nodes add to it. */
import * as z from 'zod';
import type {
  DurableFields,
  DurableType,
  HintFields,
  HintType,
  SessionEvent,
  Word,
} from '../domain/event.ts';
import type { FailureReport } from '../domain/failure.ts';
import type { AudioFormat } from '../domain/options.ts';
import type { Receipt } from '../domain/receipt.ts';

/** A check for every field; the compiler misses none. */
type Checks<F> = { readonly [K in keyof F]-?: z.ZodType<F[K] | undefined> };

const count = z.int().min(0);
const ms = z.number().min(0);
const text = z.string();
const confidence = z.number().nullable();
const responseId = z.string();
const utteranceId = z.string();
const ofUtterance = utteranceId.nullable();

const audio: z.ZodType<AudioFormat> = z.looseObject({
  encoding: z.enum(['pcm_s16le', 'pcm_f32le', 'mulaw', 'alaw', 'container']),
  sampleRateHz: count,
  channels: count,
  channel: count.nullable().exactOptional(),
});

const word: z.ZodType<Word> = z.looseObject({ text, startMs: ms, endMs: ms, confidence });

const receipt: z.ZodType<Receipt> = z.looseObject({
  receivedMs: ms,
  transcribedMs: ms,
  silenceMs: ms,
  suppressedMs: ms,
  finals: count,
  lastSeq: count,
  endedBy: z.enum(['client', 'timeout', 'limit', 'shutdown', 'error']),
});

// A newer node may know more codes.
const error = z.looseObject({ code: text, message: text }) as z.ZodType<FailureReport>;

const DURABLE: { readonly [T in DurableType]: Checks<DurableFields[T]> } = {
  'session.started': { audio, language: text, model: text },
  'transcript.final': {
    utteranceId,
    startMs: ms,
    endMs: ms,
    text,
    language: text,
    confidence,
    words: z.array(word).optional(),
  },
  'transcript.suppressed': {
    utteranceId,
    startMs: ms,
    endMs: ms,
    reason: z.enum([
      'no_speech',
      'too_many_tokens',
      'repetition',
      'compression_ratio',
      'low_confidence',
      'language_flip',
    ]),
    text,
  },
  'llm.token': { responseId, utteranceId: ofUtterance, index: count, delta: text },
  'llm.done': {
    responseId,
    utteranceId: ofUtterance,
    text,
    finishReason: z.enum(['stop', 'length']),
    usage: z.looseObject({ promptTokens: count, completionTokens: count }),
    droppedChars: count.optional(),
  },
  'llm.failed': { responseId, utteranceId: ofUtterance, code: text, message: text },
  'session.done': { receipt },
  'session.failed': { error, receipt },
  'session.sent': { attempts: count },
};

const HINTS: { readonly [T in HintType]: Checks<HintFields[T]> } = {
  'speech.started': { utteranceId, startMs: ms },
  'transcript.partial': { utteranceId, startMs: ms, endMs: ms, text, stableChars: count },
  'session.progress': { processedMs: ms, durationMs: ms.nullable() },
};

const hint = { sessionId: z.string().min(1), at: z.iso.datetime() };
const durable = { ...hint, seq: z.int().min(1) };

const CHECKS = new Map<unknown, z.ZodType>([
  ...Object.entries(DURABLE).map(
    ([type, fields]) => [type, z.looseObject({ ...durable, ...fields })] as const,
  ),
  ...Object.entries(HINTS).map(([type, fields]) => [type, z.looseObject({ ...hint, ...fields })] as const),
]);

/** Whether a value from outside is an event, of a type that is known here. */
export function isSessionEvent(value: unknown): value is SessionEvent {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  return CHECKS.get(value.type)?.safeParse(value).success ?? false;
}
