/** What is sent to a session's webhook once it has ended, and how far that has come. */

/** `failed`: given up, after the last attempt or because the receiver is not sent anything any more. */
export type DeliveryState = 'pending' | 'sent' | 'failed';

export interface Delivery {
  readonly state: DeliveryState;
  /** In all. */
  readonly attempts: number;
  /** Of the last attempt; null before the first, and where no answer came. */
  readonly lastStatus: number | null;
  /** ISO 8601; null where none is to come. */
  readonly nextAttemptAt: string | null;
}

/** What came of one attempt. */
export interface Attempt {
  /** Null where no answer came. */
  readonly status: number | null;
  readonly durationMs: number;
  /** Why no answer came, in one stable word such as `timeout`; null where one did. */
  readonly error: string | null;
  /** How the answer began: 1 KB at most. */
  readonly response: string;
}
