import { APIError } from 'openai';
import * as z from 'zod';
import { Failure } from '../domain/failure.ts';
import { outline } from '../openai/error.ts';
import { approximateTokens } from './approximate-tokens.ts';
import type { LlmPiece } from './model.ts';

const count = z.int().nonnegative();

/** The part of a chunk that is read; servers add and leave out the rest. */
const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish(),
});

/** No tokenizer packs more into a token: an endpoint that sends more does not heed the limit it was given. */
const MAX_CHARS_PER_TOKEN = 64;

/** What was asked, as far as the account of the answer needs it. */
export interface Asked {
  readonly instructions: string;
  readonly transcript: string;
  readonly droppedChars: number;
  readonly maxTokens: number;
}

/**
 * Reads a stream of chat completion chunks. Where the endpoint reports no usage, it is estimated.
 * @throws Failure `llm_truncated` where the stream ends without a finish reason, `llm_unavailable` or
 * `llm_overloaded` where it reports an error or does not speak the protocol; the signal's reason.
 */
export async function* piecesOf(
  stream: AsyncIterable<unknown>,
  asked: Asked,
  signal: AbortSignal,
): AsyncGenerator<LlmPiece, void, undefined> {
  let finishReason: string | null = null;
  let usage: { prompt_tokens: number; completion_tokens: number } | null = null;
  let text = '';
  const endless = () => text.length > asked.maxTokens * MAX_CHARS_PER_TOKEN;
  try {
    for await (const raw of stream) {
      const chunk = chunkSchema.parse(raw);
      const choice = chunk.choices?.[0];
      const delta = choice?.delta?.content ?? '';
      if (delta !== '') yield { kind: 'delta', text: delta };
      text += delta;
      finishReason = choice?.finish_reason ?? (endless() ? 'length' : finishReason);
      usage = chunk.usage ?? usage;
      if (endless()) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    // With its finish reason the answer is whole, whatever becomes of the connection.
    if (finishReason === null) throw brokenOff(error);
  }
  signal.throwIfAborted();
  if (finishReason === null) throw brokenOff(null);
  if (finishReason === 'content_filter')
    throw new Failure('llm_unavailable', 'The language model withheld its answer.');
  yield {
    kind: 'done',
    finishReason: finishReason === 'length' ? 'length' : 'stop',
    usage: {
      promptTokens: usage?.prompt_tokens ?? approximateTokens(asked.instructions + asked.transcript),
      completionTokens: usage?.completion_tokens ?? approximateTokens(text),
    },
    droppedChars: asked.droppedChars,
  };
}

function brokenOff(error: unknown): Failure {
  const cause = new Error(outline(error));
  if (error instanceof APIError) {
    if (/rate_limit|overload/i.test(`${error.code} ${error.type}`))
      return new Failure('llm_overloaded', 'The language model has too much to do. Try again later.', {
        cause,
      });
    return new Failure('llm_unavailable', 'The language model reported an error.', { cause });
  }
  if (error instanceof SyntaxError || error instanceof z.ZodError)
    return new Failure('llm_unavailable', 'The language model answered in a form that is not understood.', {
      cause,
    });
  return new Failure('llm_truncated', 'The language model broke off before the end of its answer.', {
    cause,
  });
}
