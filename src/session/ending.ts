/** How a session ends: the last answers, then the receipt. */
import type { DurableDraft } from '../domain/event.ts';
import { Failure, reportOf } from '../domain/failure.ts';
import { type EndedBy, receiptOf } from '../domain/receipt.ts';
import type { Answers } from './answers.ts';
import type { Journal } from './journal.ts';

/** The log fills in a receipt's seq when it stores the event: only then is it known. */
const UNKNOWN_SEQ = 0;

/** Ends a session well: waits for the language model, then stores `session.done`. */
export async function endWell(
  journal: Journal,
  answers: Answers,
  receivedMs: number,
  endedBy: EndedBy,
): Promise<void> {
  await answers.finish();
  await journal.write({ type: 'session.done', receipt: receipt(journal, receivedMs, endedBy) });
}

/** Ends a session with an error, keeping what it has. A session that has ended meanwhile stays as it is. */
export async function endBadly(
  journal: Journal,
  answers: Answers,
  receivedMs: number,
  error: unknown,
): Promise<void> {
  await answers.stop();
  await answers.finish().catch(() => {});
  const draft: DurableDraft = {
    type: 'session.failed',
    error: reportOf(error),
    receipt: receipt(journal, receivedMs, 'error'),
  };
  try {
    await journal.write(draft);
  } catch (failure) {
    if (!(failure instanceof Failure && ['session_ended', 'not_found', 'conflict'].includes(failure.code)))
      throw failure;
  }
}

function receipt(journal: Journal, receivedMs: number, endedBy: EndedBy) {
  const { tally } = journal;
  // Rounding each utterance to milliseconds may take the sum past the whole by one or two.
  const accountedMs = tally.transcribedMs + tally.suppressedMs;
  return receiptOf(tally, Math.max(receivedMs, accountedMs), UNKNOWN_SEQ, endedBy);
}
