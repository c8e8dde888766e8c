import type { AudioFormat } from '../domain/options.ts';
import type { Session } from '../domain/session.ts';
import type { EarshotError } from './error.ts';
import type { WebSocketConstructor } from './socket.ts';
import type { Timing } from './timing.ts';

/** What a page may show of a stream. */
export type StreamStatus = 'connecting' | 'open' | 'reconnecting' | 'ending' | 'done' | 'failed';

/** How a stream behaves on this side of the wire. */
export interface LiveStreamOptions {
  /** Gives the stream up; the session itself then ends by the gateway's own rules. */
  readonly signal?: AbortSignal | undefined;
  readonly onStatus?: ((status: StreamStatus) => void) | undefined;
  /** Complaints that end nothing. */
  readonly onWarning?: ((error: EarshotError) => void) | undefined;
  /** How long a lost connection is tried again; the gateway keeps the session for 60,000 ms by default. */
  readonly patienceMs?: number | undefined;
  /** How much audio may be held, unsent or sent but not yet committed; 8 MiB: over 4 min at 16 kHz mono. */
  readonly maxHeldBytes?: number | undefined;
}

/** Where a stream's connections go. */
export interface StreamTarget {
  readonly sessionId: string;
  readonly audio: AudioFormat;
  readonly WebSocket: WebSocketConstructor;
  readonly timing: Timing;
  /** The address for the next connection, with a token that is still good; `signal` aborts when it takes too long. */
  address(lastSeq: number, signal: AbortSignal): Promise<string>;
  /** The session as it stands, to tell what was stored when the stream is beyond help. */
  session(signal: AbortSignal): Promise<Session>;
}
