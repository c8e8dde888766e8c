/** The place of a session in a list, newest first, as opaque text. */
import { Failure } from '../domain/failure.ts';

export interface PagePlace {
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  readonly id: string;
}

/** ISO 8601 has other years too, which PostgreSQL writes in another way. */
const FOUR_DIGIT_YEAR = /^[1-9]\d{3}-/;

/** Base64url of the place. */
export const pageCursor = ({ createdAt, id }: PagePlace): string =>
  Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');

/** @throws Failure `bad_request` on anything that {@link pageCursor} did not make. */
export function pagePlace(cursor: string): PagePlace {
  try {
    const [createdAt, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    const isPlace =
      typeof createdAt === 'string' && typeof id === 'string' && FOUR_DIGIT_YEAR.test(createdAt);
    if (isPlace && new Date(createdAt).toISOString() === createdAt) return { createdAt, id };
  } catch {
    // Falls through to the one answer for all that is wrong with it.
  }
  throw new Failure('bad_request', 'That is not a cursor of this list.');
}
