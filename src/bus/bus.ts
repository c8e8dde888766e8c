/** How the nodes of one gateway talk: many processes over one database, each telling the others what it did. */
import type { SessionEvent } from '../domain/event.ts';
import type { Clock } from '../flow/clock.ts';

export type BusMessage =
  /** Somebody here follows that session: send me its events for a while. */
  | { readonly kind: 'follow'; readonly sessionId: string }
  /** Of a session that another node follows. */
  | { readonly kind: 'event'; readonly tenantId: string; readonly event: SessionEvent }
  /** The log has events up to `seq`: said of one too large to send, and to whoever may have missed some. */
  | { readonly kind: 'changed'; readonly sessionId: string; readonly seq: number }
  /** A client has come to me: let the session go. */
  | { readonly kind: 'take'; readonly sessionId: string; readonly requestId: string }
  /** It was deleted. */
  | { readonly kind: 'cancel'; readonly sessionId: string };

/** What became of the messages since the bus was opened. */
export interface BusCounts {
  /** Now: waiting to be sent, or on their way. */
  readonly waiting: number;
  readonly sent: number;
  /** Never sent: too many were waiting, or for too long, or a hint was too large. */
  readonly dropped: number;
  /** From other nodes. */
  readonly received: number;
  /** Received, and not understood. */
  readonly malformed: number;
}

/** What every bus is made with, whatever it runs over. */
export interface BusParts {
  /** Another for every process. */
  readonly nodeId: string;
  readonly clock: Clock;
  /** Told of everything that goes wrong, again and again while it does. */
  readonly onError: (error: unknown) => void;
}

/**
 * Tells the other nodes. Messages are hints: they may be lost, doubled or late, and whoever needs more reads the
 * log.
 */
export interface Bus {
  readonly counts: BusCounts;
  /** Never waits and never throws; drops (and counts) where too much is waiting. */
  send(message: BusMessage): void;
  /** Every message of other nodes from now on; not one's own. Returns a function that stops it. */
  onMessage(receive: (message: BusMessage) => void): () => void;
  /** Sends what is waiting, if that is soon done, and hears nothing more. */
  close(): Promise<void>;
}
