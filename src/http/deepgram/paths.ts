/** Deepgram's interface in the OpenAPI document. What may stand in the addresses is told in docs/compat.md. */
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { grantBody } from './grant.ts';
import { urlBody } from './prerecorded.ts';

const tags = ['Deepgram'];

const problem = z
  .object({
    err_code: z.string().describe('Stable; branch on this.'),
    err_msg: z.string(),
    request_id: z.uuid(),
  })
  .meta({ id: 'DeepgramProblem' });

const problems = {
  '4XX': { description: 'What is wrong.', content: { 'application/json': { schema: problem } } },
  '5XX': { description: 'What is wrong on our side.', content: { 'application/json': { schema: problem } } },
};

const seconds = z.number().min(0);
const confidence = z.number().min(0).max(1).describe('0 where the recogniser does not say.');

const word = z
  .object({
    word: z.string(),
    start: seconds,
    end: seconds,
    confidence,
    punctuated_word: z.string().optional(),
  })
  .meta({ id: 'DeepgramWord' });

const modelInfo = z.object({ name: z.string(), version: z.string(), arch: z.string() });

/** The answer to a recording; a test holds real answers against it. */
export const answerSchema = z
  .object({
    metadata: z.object({
      transaction_key: z.literal('deprecated'),
      request_id: z.uuid(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      created: z.iso.datetime(),
      duration: seconds,
      channels: z.int().min(1),
      models: z.array(z.uuid()),
      model_info: z.record(z.string(), modelInfo),
      tags: z.array(z.string()).optional(),
      extra: z.record(z.string(), z.string()).optional(),
    }),
    results: z.object({
      channels: z.array(
        z.object({
          alternatives: z.array(z.object({ transcript: z.string(), confidence, words: z.array(word) })),
          detected_language: z.string().optional(),
        }),
      ),
      utterances: z
        .array(
          z.object({
            start: seconds,
            end: seconds,
            confidence,
            channel: z.int().min(0),
            transcript: z.string(),
            words: z.array(word),
            id: z.uuid(),
          }),
        )
        .optional(),
    }),
  })
  .meta({ id: 'DeepgramAnswer' });

const accepted = z.object({ request_id: z.uuid() }).describe('Where there is a `callback`.');

/** The routes of this face. */
export const deepgramPaths: ZodOpenApiPathsObject = {
  '/v1/listen': {
    get: {
      summary: 'Live audio over a WebSocket, as Deepgram’s clients speak it',
      tags,
      responses: { '101': { description: 'The connection speaks WebSocket from here on.' }, ...problems },
    },
    post: {
      summary: 'Transcribe a recording, as Deepgram’s clients send it',
      tags,
      requestBody: {
        content: {
          'application/json': { schema: urlBody },
          'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) },
        },
      },
      responses: {
        '200': {
          description: 'What was said.',
          content: { 'application/json': { schema: z.union([answerSchema, accepted]) } },
        },
        ...problems,
      },
    },
  },
  '/v1/auth/grant': {
    post: {
      summary: 'A short-lived token for Deepgram’s clients',
      tags,
      requestBody: { content: { 'application/json': { schema: grantBody } } },
      responses: {
        '200': {
          description: 'Shown once.',
          content: {
            'application/json': { schema: z.object({ access_token: z.string(), expires_in: z.int() }) },
          },
        },
        ...problems,
      },
    },
  },
};
