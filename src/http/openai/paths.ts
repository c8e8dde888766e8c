/** OpenAI's endpoints for recordings, and its list of models, in the OpenAPI document. */
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { RESPONSE_FORMATS } from './audio-fields.ts';
import { openAiProblems } from './client-secrets.ts';

const tags = ['OpenAI'];

const seconds = z.number().min(0);
const usage = z.object({ type: z.literal('duration'), seconds });

/** `json`, and the fuller `verbose_json`. */
const answerSchema = z
  .object({
    text: z.string(),
    usage,
    task: z.enum(['transcribe', 'translate']).optional(),
    language: z.string().optional().describe('In English, such as `korean`.'),
    duration: seconds.optional(),
    words: z.array(z.object({ word: z.string(), start: seconds, end: seconds })).optional(),
    segments: z
      .array(
        z.object({
          id: z.int(),
          seek: z.int(),
          start: seconds,
          end: seconds,
          text: z.string(),
          tokens: z.array(z.int()),
          temperature: z.number(),
          avg_logprob: z.number(),
          compression_ratio: z.number(),
          no_speech_prob: z.number(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'OpenAiTranscription' });

const modelSchema = z
  .object({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })
  .meta({ id: 'OpenAiModel' });

const common = {
  file: z.string().meta({ format: 'binary' }),
  model: z.string().describe('The node’s own, or one of the names that `/v1/models` lists for it.'),
  prompt: z.string().optional(),
  temperature: z.literal(0).optional(),
  response_format: z.enum(RESPONSE_FORMATS).optional(),
};

const transcriptionForm = z.object({
  ...common,
  language: z.string().optional(),
  'keywords[]': z.array(z.string()).optional(),
  'languages[]': z.array(z.string()).max(1).optional(),
  stream: z
    .boolean()
    .optional()
    .describe('Server-sent events: `transcript.text.delta`, `transcript.text.done`.'),
  'timestamp_granularities[]': z.array(z.enum(['word', 'segment'])).optional(),
  chunking_strategy: z
    .union([
      z.literal('auto'),
      z.object({ type: z.literal('server_vad'), silence_duration_ms: z.int().min(100).max(5000).optional() }),
    ])
    .optional(),
});

const answered = (summary: string, form: z.ZodType) => ({
  summary,
  tags,
  requestBody: { content: { 'multipart/form-data': { schema: form } } },
  responses: {
    '200': {
      description: 'The transcript, in the format asked for.',
      content: {
        'application/json': { schema: answerSchema },
        'text/plain': { schema: z.string() },
        'text/event-stream': { schema: z.string() },
      },
    },
    ...openAiProblems,
  },
});

/** These faces in the OpenAPI document. */
export const openAiPaths: ZodOpenApiPathsObject = {
  '/v1/audio/transcriptions': {
    post: answered('Transcribe a recording, as OpenAI’s clients ask for it', transcriptionForm),
  },
  '/v1/audio/translations': {
    post: answered('Put a recording into English, as OpenAI’s clients ask for it', z.object(common)),
  },
  '/v1/models': {
    get: {
      summary: 'The names of the model that is served',
      tags,
      responses: {
        '200': {
          description: 'The node’s model, and the names that stand for it.',
          content: {
            'application/json': {
              schema: z.object({ object: z.literal('list'), data: z.array(modelSchema) }),
            },
          },
        },
        ...openAiProblems,
      },
    },
  },
  '/v1/models/{model}': {
    get: {
      summary: 'One of these names',
      tags,
      requestParams: { path: z.object({ model: z.string() }) },
      responses: {
        '200': { description: 'It is served.', content: { 'application/json': { schema: modelSchema } } },
        ...openAiProblems,
      },
    },
  },
};
