/** The cursors of a session's events: the seq after which a reader wants to go on. */
import { Failure } from '../domain/failure.ts';

/** The highest seq there can be: the log's column holds 32 bits. */
const MAX_SEQ = 2 ** 31 - 1;

/** @throws Failure `bad_request` where the text is no seq. */
export function readSeq(text: string): number {
  const seq = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (seq <= MAX_SEQ) return seq;
  throw new Failure('bad_request', 'after: must be the seq of an event.');
}
