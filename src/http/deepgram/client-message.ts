/** What a client says beside its audio. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';

export type ClientMessage =
  | { readonly type: 'KeepAlive' }
  | { readonly type: 'Finalize' }
  | { readonly type: 'CloseStream' }
  /** JSON of a type that is none here. */
  | { readonly type: 'unknown'; readonly given: string; readonly text: string };

const known = z.object({ type: z.enum(['KeepAlive', 'Finalize', 'CloseStream']) });
const typed = z.object({ type: z.string() });

/** How much of a message is given back to who sent it. */
const MAX_SHOWN_CHARS = 200;

/** @throws Failure `bad_message` where it is no JSON with a type. */
export function readClientMessage(text: string): ClientMessage {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Failure('bad_message', 'A text message must be JSON.');
  }
  const message = known.safeParse(json);
  if (message.success) return message.data;
  const given = typed.safeParse(json);
  if (!given.success) throw new Failure('bad_message', 'A message must be an object with a type.');
  const shown = (part: string) => part.slice(0, MAX_SHOWN_CHARS);
  return { type: 'unknown', given: shown(given.data.type), text: shown(text) };
}
