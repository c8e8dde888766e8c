/** Messages as they travel: JSON with the sender's name on it. What arrives is checked here, and only here. */
import * as z from 'zod';
import { isDurable, type SessionEvent } from '../domain/event.ts';
import type { BusMessage } from './bus.ts';
import { isSessionEvent } from './event-schema.ts';

export interface Envelope {
  /** The node that sent it. */
  readonly from: string;
  readonly message: BusMessage;
}

const id = z.string().min(1).max(200);

const envelopeSchema: z.ZodType<Envelope> = z.object({
  from: id,
  message: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('follow'), sessionId: id }),
    z.object({ kind: z.literal('event'), tenantId: id, event: z.custom<SessionEvent>(isSessionEvent) }),
    z.object({ kind: z.literal('changed'), sessionId: id, seq: z.int().min(1) }),
    z.object({ kind: z.literal('take'), sessionId: id, requestId: id }),
    z.object({ kind: z.literal('cancel'), sessionId: id }),
  ]),
});

/**
 * A message's text, or null where it is too large to be sent at all. An event that is too large is sent as
 * `changed` where the log has it; a hint is in no log, and outdated by the next.
 * @param maxBytes The most that may travel, in UTF-8.
 */
export function seal({ from, message }: Envelope, maxBytes: number): string | null {
  const text = JSON.stringify({ from, message });
  if (Buffer.byteLength(text) <= maxBytes) return text;
  if (message.kind !== 'event' || !isDurable(message.event)) return null;
  const { sessionId, seq } = message.event;
  return seal({ from, message: { kind: 'changed', sessionId, seq } }, maxBytes);
}

/** What a text says, or null where it is no message, or of a kind that is not known here. */
export function unseal(text: string): Envelope | null {
  try {
    return envelopeSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
