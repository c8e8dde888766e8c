/** The text messages a client may send over the WebSocket. */
import * as z from 'zod';
import { Failure } from '../domain/failure.ts';

export type StreamMessage =
  | { readonly type: 'utterance.commit' }
  | { readonly type: 'audio.end' }
  /** Well formed, but nothing that is known: answered with an error that is not fatal. */
  | { readonly type: 'unknown'; readonly given: string };

const anyMessage = z.looseObject({ type: z.string().max(200) });

/** @throws Failure `bad_message` where the text is not JSON, or not an object with a type. */
export function readMessage(text: string): StreamMessage {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Failure('bad_message', 'A text message must be JSON.');
  }
  const { data } = anyMessage.safeParse(given);
  if (!data) throw new Failure('bad_message', 'A text message must be an object with a type.');
  switch (data.type) {
    case 'utterance.commit':
    case 'audio.end':
      return { type: data.type };
    default:
      return { type: 'unknown', given: data.type };
  }
}
