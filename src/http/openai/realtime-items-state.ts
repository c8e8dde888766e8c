/** What the items of a Realtime connection are made of: see `realtime-items.ts`, which makes them. */
import type { Said } from './realtime-events.ts';

interface Span {
  readonly utteranceId: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** What happens, on our side or the client's. */
export type ItemsInput =
  | { readonly kind: 'started'; readonly utteranceId: string; readonly startMs: number }
  /** `stable`: the beginning of its text, which will not change. */
  | ({ readonly kind: 'partial'; readonly stable: string } & Span)
  | ({ readonly kind: 'final' } & Said & Span)
  | ({ readonly kind: 'suppressed' } & Span)
  /** The client's; `itemId` is for the item that may come of it. */
  | { readonly kind: 'commit'; readonly itemId: string; readonly atMs: number }
  /** All that was said before the client's earliest commit without this has been told of. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'clear'; readonly atMs: number }
  /** Turn detection is switched on or off; `itemId` is for what was said and not committed. */
  | {
      readonly kind: 'detection';
      readonly isOn: boolean;
      readonly itemId: string;
      readonly atMs: number;
    }
  /** Nothing more will be heard of what is under way. */
  | { readonly kind: 'broken'; readonly error: { readonly code: string; readonly message: string } };

/** An utterance that was told of and has no transcript yet. */
export interface Open {
  readonly utteranceId: string;
  readonly startMs: number;
  readonly isCommitted: boolean;
  /** The client cleared what was not committed, and whether this was is yet to be seen. */
  readonly isCleared: boolean;
  /** Its deltas so far. */
  readonly told: string;
}

/** A commit of the client's. */
export type Mark = { readonly itemId: string; readonly fromMs: number; readonly atMs: number } & (
  | { readonly kind: 'item'; readonly finals: readonly Said[] }
  /** With turn detection: an utterance is its item, if there is one; else there is to be an empty item. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'answered' }
);

export interface ItemsState {
  readonly detects: boolean;
  readonly lastItemId: string | null;
  /** Where what was not committed begins. */
  readonly fromMs: number;
  /** What ended up to here and was not committed is not told of. */
  readonly clearedMs: number;
  readonly open: readonly Open[];
  /** Commits that are not settled, in order. */
  readonly marks: readonly Mark[];
  /** What was said since the last commit, without turn detection. */
  readonly uncommitted: readonly Said[];
}

/** Before any audio. */
export const noItems = (detects: boolean): ItemsState => ({
  detects,
  lastItemId: null,
  fromMs: 0,
  clearedMs: 0,
  open: [],
  marks: [],
  uncommitted: [],
});

/** The item that an utterance is. */
export const itemIdOf = (utteranceId: string): string => utteranceId.replace(/^utt_/, 'item_');
