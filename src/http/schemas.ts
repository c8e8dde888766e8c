/** What the gateway answers with, as schemas for the OpenAPI document; a test holds real answers against them. */
import * as z from 'zod';
import { SESSION_STATES } from '../domain/session.ts';

const ms = z.int().min(0);
const confidence = z.number().min(0).max(1).nullable().describe('Null where the recogniser does not say.');
const instant = z.iso.datetime();

const wordSchema = z.object({ text: z.string(), startMs: ms, endMs: ms, confidence }).meta({ id: 'Word' });

const utteranceSchema = z
  .object({
    id: z.string(),
    startMs: ms,
    endMs: ms,
    text: z.string(),
    language: z.string(),
    confidence,
    words: z.array(wordSchema).optional(),
  })
  .meta({ id: 'Utterance' });

/** The account of a session's audio. */
export const receiptSchema = z
  .object({
    receivedMs: ms,
    transcribedMs: ms,
    silenceMs: ms,
    suppressedMs: ms,
    finals: z.int().min(0),
    lastSeq: z.int().min(1),
    endedBy: z.enum(['client', 'timeout', 'limit', 'shutdown', 'error']),
  })
  .describe('receivedMs = transcribedMs + silenceMs + suppressedMs')
  .meta({ id: 'Receipt' });

/** A session as clients read it. */
export const sessionSchema = z
  .object({
    id: z.string(),
    state: z.enum(SESSION_STATES as [string, ...string[]]),
    source: z.enum(['live', 'recording']),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    language: z.string(),
    model: z.string(),
    metadata: z.record(z.string(), z.string()),
    audio: z.object({ durationMs: ms.nullable() }),
    text: z.string(),
    utterances: z.array(utteranceSchema),
    llm: z
      .object({
        state: z.enum(['pending', 'streaming', 'done', 'failed']),
        responses: z.array(
          z.object({
            id: z.string(),
            utteranceId: z.string().nullable(),
            text: z.string(),
            finishReason: z.enum(['stop', 'length', 'failed']).nullable(),
          }),
        ),
      })
      .nullable(),
    progress: z.object({ processedMs: ms, durationMs: ms.nullable() }).nullable(),
    webhook: z
      .object({
        state: z.enum(['pending', 'sent', 'failed']),
        attempts: z.int(),
        lastStatus: z.int().nullable(),
        nextAttemptAt: instant.nullable(),
      })
      .nullable(),
    receipt: receiptSchema.nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'Session' });

/** RFC 9457, with a stable code. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Stable; branch on this.'),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' });

/** The answers that any route may give where something is wrong, for the OpenAPI document. */
export const problems = {
  '4XX': {
    description: 'What is wrong, by `code`.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
  '5XX': {
    description: 'What is wrong on our side, by `code`; `Retry-After` where trying again may help.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
};
