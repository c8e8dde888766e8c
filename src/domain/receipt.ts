/**
 * The account a session gives of the audio it was sent. Every millisecond is in exactly one of three places,
 * so a client can check that nothing was dropped: `receivedMs = transcribedMs + silenceMs + suppressedMs`.
 */
export interface Receipt {
  readonly receivedMs: number;
  /** Audio inside finals. */
  readonly transcribedMs: number;
  /** Audio in no utterance. */
  readonly silenceMs: number;
  /** Audio whose text a guard withheld. */
  readonly suppressedMs: number;
  /** How many `transcript.final` the session has. */
  readonly finals: number;
  /** The seq of the event that carries this receipt: the session's last but for `session.sent`. */
  readonly lastSeq: number;
  readonly endedBy: EndedBy;
}

export type EndedBy = 'client' | 'timeout' | 'limit' | 'shutdown' | 'error';

/** What a session has accounted for so far; a {@link Receipt} is made of it at the end. */
export interface Tally {
  readonly transcribedMs: number;
  readonly suppressedMs: number;
  readonly finals: number;
}

/** Nothing accounted for yet. */
export const EMPTY_TALLY: Tally = { transcribedMs: 0, suppressedMs: 0, finals: 0 };

/** Counts one stored event in; events that account for no audio leave the tally as it is. */
export function tally(sofar: Tally, event: { type: string; startMs?: number; endMs?: number }): Tally {
  const spanMs = (event.endMs ?? 0) - (event.startMs ?? 0);
  switch (event.type) {
    case 'transcript.final':
      return { ...sofar, transcribedMs: sofar.transcribedMs + spanMs, finals: sofar.finals + 1 };
    case 'transcript.suppressed':
      return { ...sofar, suppressedMs: sofar.suppressedMs + spanMs };
    default:
      return sofar;
  }
}

/**
 * Closes the account. Utterances never overlap, so what is in none of them is silence; a negative remainder
 * would mean a millisecond counted twice and is a bug worth stopping for.
 */
export function receiptOf(total: Tally, receivedMs: number, lastSeq: number, endedBy: EndedBy): Receipt {
  const silenceMs = receivedMs - total.transcribedMs - total.suppressedMs;
  if (silenceMs < 0) throw new RangeError(`receipt counts ${-silenceMs} ms more than were received`);
  return { receivedMs, silenceMs, lastSeq, endedBy, ...total };
}
