/** What a live session is made with, and what it sees of its client. */
import type { DecodeParts } from '../audio/frames.ts';
import type { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import type { PipelineParts } from './pipeline.ts';

export interface LiveLimits {
  readonly idleMs: number;
  readonly maxSessionMs: number;
  readonly resumeWindowMs: number;
}

export interface LiveParts {
  /** Whether events of a session wait on this node's disk: another node could not go on after them. */
  readonly isWaiting: (sessionId: string) => boolean;
  readonly pipeline: PipelineParts;
  readonly decoders: DecodeParts;
  readonly clock: Clock;
  readonly limits: LiveLimits;
  /** Recognition threads on this node. */
  readonly workers: number;
}

/** The other end, as the session sees it. */
export interface Connection {
  /** Tells the client why, then closes; only the first call counts. */
  close(reason: Failure | 'done'): void;
}

/** Where a live session stands with its client. */
export type Phase =
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'attached'; readonly connection: Connection }
  /** Takes no more audio; what came before is worked on, and whoever is connected then is told the end of it. */
  | { readonly kind: 'ending'; readonly connection: Connection | null }
  /** Not to be had here any more, for this reason. */
  | { readonly kind: 'gone'; readonly reason: Failure };
