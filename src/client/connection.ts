/**
 * The life of a live stream's connection, as a pure function: what is known, what happened and when go in; what
 * is known now and what is to be done come out. Sockets and timers are elsewhere.
 *
 *     connecting ──► open ──► ending ──► done
 *         ▲  │         │         │
 *         │  └────┐ ┌──┘ ┌───────┘            any ──► failed
 *         └──── waiting ◄┘
 */
import { backoffMs } from './backoff.ts';
import { EarshotError } from './error.ts';

/** What may still come of connections that were lost. */
interface Past {
  /**
   * Until when one of our own, given up here, may reach the gateway late and take the session over; 0 for not at all. Who
   * is replaced until then takes it back, once.
   */
  readonly ghostsUntilMs: number;
}

interface Attempt extends Past {
  /** Whether audio flowed before: the session is to be taken up again, not begun. */
  readonly resuming: boolean;
  /** Whether `audio.end` was asked for meanwhile. */
  readonly ending: boolean;
  /** How many attempts have failed in a row. */
  readonly attempt: number;
  /** When to give up. */
  readonly untilMs: number;
}

/** How far a connection is. */
export type ConnectionState =
  /** A socket is being opened. */
  | ({ readonly kind: 'connecting' } & Attempt)
  /** Audio flows. */
  | ({ readonly kind: 'open' } & Past)
  /** All audio was handed over; the gateway finishes its work. */
  | ({ readonly kind: 'ending' } & Past)
  /** The connection was lost; another attempt is due. */
  | ({ readonly kind: 'waiting' } & Attempt)
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' };

/** What a connection can be. */
export type ConnectionKind = ConnectionState['kind'];

/** What can happen to it. */
export type ConnectionEvent =
  /** `session.ready` came: send from this sample, the first where nothing of the audio has got through. */
  | { readonly kind: 'ready'; readonly resumeFromSample: number }
  /** The socket closed, or never opened. `error` is what the gateway said just before, where it said something. */
  | { readonly kind: 'lost'; readonly code: number; readonly error: EarshotError | null }
  /** The pause is over. */
  | { readonly kind: 'retry' }
  /** No more audio. */
  | { readonly kind: 'end' }
  /** `session.done` or `session.failed` came. */
  | { readonly kind: 'finished' }
  /** Not to go on, whatever the gateway thinks: given up by its owner, or beyond help. */
  | { readonly kind: 'fail'; readonly error: EarshotError };

/** What is to be done about it. */
export type ConnectionEffect =
  | { readonly kind: 'connect' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** Send what is held, from this sample. */
  | { readonly kind: 'sendFrom'; readonly sample: number }
  /** Send `audio.end` after the last of the audio. */
  | { readonly kind: 'sendEnd' }
  | { readonly kind: 'close' }
  | { readonly kind: 'reject'; readonly error: EarshotError };

/** Time, chance and what is possible. */
export interface Circumstances {
  readonly nowMs: number;
  /** A number in [0, 1). */
  readonly random: number;
  /** How long a lost connection is tried again. */
  readonly patienceMs: number;
  /** Whether audio already sent can be sent again: not so for containers, which have no place to go on from. */
  readonly resumable: boolean;
}

/** How late a connection may arrive that a network held up: about as long as systems try to get it through. */
const GHOSTS_MS = 60_000;

const REPLACED = 4409;

type Step = readonly [ConnectionState, readonly ConnectionEffect[]];

/** Where a stream begins: its first socket is to be opened at once. */
export const begin = (nowMs: number, patienceMs: number): ConnectionState => ({
  kind: 'connecting',
  resuming: false,
  ending: false,
  attempt: 0,
  untilMs: nowMs + patienceMs,
  ghostsUntilMs: 0,
});

/** Moves the connection on. Events that mean nothing in a state leave it as it is. */
export function step(state: ConnectionState, event: ConnectionEvent, now: Circumstances): Step {
  const stay: Step = [state, []];
  if (state.kind === 'done' || state.kind === 'failed') return stay;
  switch (event.kind) {
    case 'fail':
      return failed(event.error);
    case 'finished':
      return [{ kind: 'done' }, [{ kind: 'close' }]];
    case 'ready':
      if (state.kind !== 'connecting') return stay;
      return [
        { kind: state.ending ? 'ending' : 'open', ghostsUntilMs: state.ghostsUntilMs },
        [
          { kind: 'sendFrom', sample: event.resumeFromSample },
          ...(state.ending ? [{ kind: 'sendEnd' } as const] : []),
        ],
      ];
    case 'end':
      if (state.kind === 'open') return [{ ...state, kind: 'ending' }, [{ kind: 'sendEnd' }]];
      return state.kind === 'ending' ? stay : [{ ...state, ending: true }, []];
    case 'retry':
      return state.kind === 'waiting' ? [{ ...state, kind: 'connecting' }, [{ kind: 'connect' }]] : stay;
    case 'lost':
      return state.kind === 'waiting' ? stay : lost(state, event, now);
  }
}

function lost(
  state: Exclude<ConnectionState, { kind: 'done' | 'failed' | 'waiting' }>,
  event: Extract<ConnectionEvent, { kind: 'lost' }>,
  now: Circumstances,
): Step {
  const before: Attempt =
    state.kind === 'connecting'
      ? state
      : {
          resuming: true,
          ending: state.kind === 'ending',
          attempt: 0,
          untilMs: now.nowMs + now.patienceMs,
          ghostsUntilMs: state.ghostsUntilMs,
        };
  const byGhost = event.code === REPLACED && now.nowMs < state.ghostsUntilMs;
  if (isRefusal(event.code) && !byGhost) {
    const error = event.error ?? refusalOf(event.code);
    const gone = state.kind === 'connecting' && before.resuming && event.code === 4410;
    return failed(gone ? notResumable(error.message, error) : error);
  }
  if (before.resuming && !now.resumable)
    return failed(notResumable('a container that broke off has no place to go on from'));
  const { attempt, untilMs } = before;
  const delayMs = backoffMs(attempt, now.random, Math.min(event.error?.retryAfterMs ?? 0, now.patienceMs));
  if (now.nowMs + delayMs > untilMs)
    return failed(
      event.error ??
        new EarshotError('connection_lost', 'the gateway could not be reached again in time', {
          status: event.code,
        }),
    );
  const ghostsUntilMs = byGhost ? 0 : now.nowMs + GHOSTS_MS;
  return [{ ...before, kind: 'waiting', attempt: attempt + 1, ghostsUntilMs }, [{ kind: 'wait', delayMs }]];
}

function notResumable(reason: string, cause?: EarshotError): EarshotError {
  return new EarshotError('not_resumable', `the session cannot be taken up again: ${reason}`, {
    cause,
    status: cause?.status,
  });
}

function failed(error: EarshotError): Step {
  return [{ kind: 'failed' }, [{ kind: 'close' }, { kind: 'reject', error }]];
}

/** Whether trying again would be answered the same way: all of the gateway's own codes, and protocol errors. */
const isRefusal = (code: number): boolean =>
  (code >= 4000 && code < 5000) || [1002, 1003, 1007, 1008, 1009, 1010].includes(code);

function refusalOf(code: number): EarshotError {
  const details = { status: code };
  switch (code) {
    case 1009:
      return new EarshotError('frame_too_large', 'a frame was larger than the gateway allows', details);
    case 4401:
      return new EarshotError('unauthorized', 'the gateway does not accept the token', details);
    case 4404:
      return new EarshotError('not_found', 'there is no such session', details);
    case 4408:
      return new EarshotError('idle_timeout', 'the session was idle, or went on, for too long', details);
    case REPLACED:
      return new EarshotError('replaced', 'another connection took over the session', details);
    case 4410:
      return new EarshotError('session_ended', 'the session has ended or was deleted', details);
    case 4415:
      return new EarshotError('audio_undecodable', 'the audio cannot be decoded', details);
    default:
      return new EarshotError('bad_message', `the gateway closed the connection with code ${code}`, details);
  }
}
