/** What a client sent, read and checked. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod';
import { Failure } from '../domain/failure.ts';
import { failureOf } from './options.ts';
import type { Env } from './parts.ts';

const MAX_JSON_BYTES = 256 * 1024;

/** Refuses a body that is larger than JSON of ours ever is. */
export const smallBody = bodyLimit({
  maxSize: MAX_JSON_BYTES,
  onError: () => {
    throw new Failure('payload_too_large', `A JSON body may have ${MAX_JSON_BYTES} bytes at most.`);
  },
});

/** Checks what a client sent. @throws Failure `bad_request`, `unsupported_option` */
export function check<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const { data, error } = schema.safeParse(given);
  if (error) throw failureOf(error);
  return data;
}

/** A JSON body; an empty one stands for no options. @throws Failure `bad_request` */
export async function jsonBody(c: Context<Env>): Promise<unknown> {
  const bytes = await c.req.arrayBuffer();
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw new Failure('bad_request', 'The body is not JSON in UTF-8.');
  }
}
