import type { FeedEntry } from './wire.ts';

/** Where a reader of the feed keeps its place: a file, a row, `localStorage`. */
export interface CursorStore {
  /** The cursor saved last, or null where none was yet. */
  load(): string | null | Promise<string | null>;
  /** Keeps the cursor of an event that has been dealt with. */
  save(cursor: string): void | Promise<void>;
}

/**
 * Goes on where an earlier reader stopped. An event's cursor is saved when the next one is asked for, so whoever
 * stops in the middle of one, or breaks off after it, gets it again: at least once, never not at all.
 *
 * @param open Reads the feed after a cursor; null where none was saved yet.
 * @throws Whatever the store throws.
 */
export async function* savingCursor(
  store: CursorStore,
  open: (cursor: string | null) => AsyncIterable<FeedEntry>,
): AsyncGenerator<FeedEntry, void, undefined> {
  for await (const entry of open(await store.load())) {
    yield entry;
    if (entry.event.type !== 'reset') await store.save(entry.cursor);
  }
}
