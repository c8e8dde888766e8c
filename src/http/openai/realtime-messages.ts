/** What clients of the Realtime interface send: one JSON object a message. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { params } from './problem.ts';

export type ClientEvent =
  | { readonly type: 'session.update'; readonly session: unknown }
  | { readonly type: 'input_audio_buffer.append'; readonly audio: Buffer }
  | { readonly type: 'input_audio_buffer.commit' }
  | { readonly type: 'input_audio_buffer.clear' };

/** What the client sent, or why it is nothing; errors are answered with the id it gave. */
export interface ReadClientEvent {
  readonly eventId: string | null;
  readonly event: ClientEvent | Failure;
}

/** Audio in one message. */
const MAX_AUDIO_BYTES = 15 * 1024 * 1024;

const anyEvent = z.looseObject({ type: z.string(), event_id: z.string().max(512).nullish() });

/** Reads a text message. Never throws: a client that errs is told so, and goes on. */
export function readClientEvent(text: string): ReadClientEvent {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return { eventId: null, event: new Failure('bad_message', 'A message must be JSON.') };
  }
  const { data } = anyEvent.safeParse(given);
  if (!data) {
    const event = refusal('A message must be an object with a type, and an event_id that is text.', 'type');
    return { eventId: null, event };
  }
  return { eventId: data.event_id ?? null, event: eventOf(data) };
}

function eventOf(given: z.output<typeof anyEvent>): ClientEvent | Failure {
  switch (given.type) {
    case 'session.update':
      return { type: given.type, session: given.session };
    case 'input_audio_buffer.append':
      return appended(given.audio);
    case 'input_audio_buffer.commit':
    case 'input_audio_buffer.clear':
      return { type: given.type };
    default:
      return refusal(`There is no event ${given.type.slice(0, 200)} in a transcription session.`, 'type');
  }
}

function appended(audio: unknown): ClientEvent | Failure {
  const bytes = typeof audio === 'string' ? fromBase64(audio) : null;
  if (!bytes) return refusal('audio: must be base64.', 'audio');
  if (bytes.length > MAX_AUDIO_BYTES)
    return refusal(`audio: a message may carry ${MAX_AUDIO_BYTES} bytes of it at most.`, 'audio');
  return { type: 'input_audio_buffer.append', audio: bytes };
}

/** Node's own decoder passes over what is none: less comes out than went in. */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  const digits = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  const isWhole = digits % 4 !== 1 && (digits === text.length || text.length % 4 === 0);
  return isWhole && bytes.length === Math.floor((digits * 3) / 4) ? bytes : null;
}

function refusal(message: string, field: string): Failure {
  const failure = new Failure('bad_message', message);
  params.set(failure, field);
  return failure;
}
