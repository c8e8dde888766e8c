/** Taking a session up where its log leaves it: for the first time, after a restart, or from another node. */
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import type { Store } from '../store/store.ts';
import { Answers, type AnswersParts } from './answers.ts';
import type { Hub } from './hub.ts';
import { Journal } from './journal.ts';

/** How long a node's claim on a session lasts unless renewed: so long, others wait for one that died. */
export const CLAIM_MS = 15_000;

export interface OpeningParts {
  readonly store: Store;
  readonly hub: Hub;
  readonly answers: AnswersParts;
}

/**
 * A session's journal and its language model's part, as they stand in the log.
 * @param fence Of the claim by which this node holds it.
 * @throws Failure `storage_unavailable` while the log is behind what was told.
 */
export async function openSession(
  record: SessionRecord,
  fence: number,
  { store, hub, answers }: OpeningParts,
): Promise<{ journal: Journal; answers: Answers }> {
  if (store.isWaiting(record.id))
    throw new Failure(
      'storage_unavailable',
      'What was said before is still being stored; try again shortly.',
      {
        retryAfterMs: 1000,
      },
    );
  const journal = await Journal.open(record, fence, { log: store.log, hub, clock: answers.clock });
  return { journal, answers: new Answers(record.options, journal, answers, journal.earlierFinals) };
}
