/** How an event lies in its row. The receipt's `lastSeq` is the row's seq by definition, so it is not kept twice. */
import type { DurableDraft, DurableEvent } from '../domain/event.ts';

export interface EventRow {
  readonly sessionId: string;
  readonly seq: number;
  readonly type: string;
  readonly body: unknown;
  readonly at: Date;
}

/** An event's own fields, as JSON text. */
export function bodyOf({ type: _, ...fields }: DurableDraft): string {
  if (!('receipt' in fields)) return JSON.stringify(fields);
  const { lastSeq: __, ...receipt } = fields.receipt;
  return JSON.stringify({ ...fields, receipt });
}

/** The event as it was told. Rows were written by {@link bodyOf}, so their shape is trusted. */
export function eventOf({ sessionId, seq, type, body, at }: EventRow): DurableEvent {
  const fields = body as { receipt?: object };
  const receipt = fields.receipt && { receipt: { ...fields.receipt, lastSeq: seq } };
  return { type, sessionId, seq, at: at.toISOString(), ...fields, ...receipt } as DurableEvent;
}
