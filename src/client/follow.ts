import { backoffMs } from './backoff.ts';
import { EarshotError, mayPass } from './error.ts';
import { type SseMessage, SseParser } from './sse.ts';
import { pause, type Timing } from './timing.ts';

/** The gateway sends a comment every 15 s, so three of them missing means that nobody is there. */
const SILENCE_MS = 45_000;

/** How a stream of events is followed. */
export interface FollowOptions {
  /** Where to go on from; left out: the stream's own beginning. */
  readonly after?: string | number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a lost connection is tried again before giving up. */
  readonly patienceMs?: number | undefined;
  /** Told whenever the connection is had or lost. */
  readonly onConnection?: ((connection: 'open' | 'lost') => void) | undefined;
}

interface Source {
  /** Opens the stream after `cursor`. */
  open(cursor: string | null, signal: AbortSignal): Promise<Response>;
  /** Asked when the server closes the stream properly: whether that was its end, rather than a loss. */
  isOver(): boolean | Promise<boolean>;
}

/**
 * Reads a stream of server-sent events for as long as it takes: a lost connection is opened again after the
 * last id, with growing pauses. A first connection that fails is told at once, since there is nothing to keep.
 *
 * @throws EarshotError the gateway's refusal, or `connection_lost` when patience is over; the signal's reason.
 */
export async function* follow(
  source: Source,
  options: FollowOptions & { patienceMs: number },
  timing: Timing,
): AsyncGenerator<SseMessage, void, undefined> {
  const { signal, patienceMs, onConnection } = options;
  let cursor = options.after === undefined ? null : String(options.after);
  let everOpen = false;
  let lostAtMs = 0;
  let attempt = 0;

  while (true) {
    const connection = new Connection(timing, signal);
    let asked: { retryMs: number | null } = { retryMs: null };
    let error: unknown = null;
    try {
      const response = await source.open(cursor, connection.signal);
      if (response.status === 204) return;
      onConnection?.('open');
      everOpen = true;
      const parser = new SseParser();
      asked = parser;
      for await (const message of connection.read(response, parser)) {
        if (message.id !== '') cursor = message.id;
        // Only what was heard counts as success: a server that opens and closes at once is not asked in a rush.
        attempt = 0;
        yield message;
      }
      if (await source.isOver()) return;
    } catch (caught) {
      signal?.throwIfAborted();
      error = connection.silent ?? caught;
      if (!everOpen || !mayPass(error)) throw error;
    } finally {
      connection.close();
    }
    if (attempt === 0) lostAtMs = timing.now();
    onConnection?.('lost');
    const atLeastMs = (error as EarshotError | null)?.retryAfterMs ?? asked.retryMs ?? 0;
    const delayMs = backoffMs(attempt++, timing.random(), Math.min(atLeastMs, 30_000));
    if (timing.now() + delayMs - lostAtMs > patienceMs)
      throw new EarshotError('connection_lost', 'the gateway could not be reached again', { cause: error });
    await pause(timing, delayMs, signal);
  }
}

/** One connection: ends by itself where the server has nothing to say for too long. */
class Connection {
  readonly #abort = new AbortController();
  readonly #timing: Timing;
  readonly #outer: AbortSignal | undefined;
  readonly #onOuterAbort = () => this.#abort.abort(this.#outer!.reason);
  #cancelTimer: () => void = () => {};
  /** Set once the server fell silent. */
  silent: EarshotError | null = null;

  constructor(timing: Timing, outer: AbortSignal | undefined) {
    this.#timing = timing;
    this.#outer = outer;
    outer?.throwIfAborted();
    outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
    this.#heard();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async *read(response: Response, parser: SseParser): AsyncGenerator<SseMessage> {
    const reader = response.body!.getReader();
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    while (true) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new EarshotError('connection_lost', 'the stream broke off', { cause });
      });
      if (done) return;
      this.#heard();
      for (const message of parser.push(decoder.decode(value, { stream: true }))) yield message;
    }
  }

  close(): void {
    this.#cancelTimer();
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
    this.#abort.abort();
  }

  #heard(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#timing.after(SILENCE_MS, () => {
      this.silent = new EarshotError('connection_lost', `nothing was heard for ${SILENCE_MS / 1000} s`);
      this.#abort.abort(this.silent);
    });
  }
}
