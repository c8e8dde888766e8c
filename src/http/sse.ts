/** Server-sent events (WHATWG HTML, section 9.2), read at the client's own pace. */
import type { Clock } from '../flow/clock.ts';

/** One event: its name, its data as JSON, and the id to resume after. */
export interface SseEvent {
  readonly event: string;
  readonly data: unknown;
  readonly id: string | null;
}

/** A comment this often keeps proxies from closing a quiet stream. */
const COMMENT_EVERY_MS = 15_000;

/** A reader that takes nothing for so long, while something waits for it, is let go: it goes on when it is back. */
const STALLED_MS = 10_000;

/** What a client waits before it connects again. */
const RETRY_MS = 2000;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function frame({ event, data, id }: SseEvent): string {
  const idLine = id === null ? '' : `id: ${id}\n`;
  return `${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Breaks a stream off: the server closes the connection, and writes this where it writes what went wrong. */
class StalledReader extends Error {
  constructor() {
    super(`a reader of events took nothing for ${STALLED_MS / 1000} s`);
    this.name = 'StalledReader';
    // It is nobody's mistake: from where in the code it was noticed tells nothing.
    this.stack = '';
  }
}

/**
 * Streams events until they end, the client leaves, or it stalls. The next event is only asked for when the last
 * has been taken, so a reader that stalls holds one event and its place in the hub, and that not for long.
 * @param open Given a signal that aborts when the client leaves.
 */
export function sseResponse(open: (signal: AbortSignal) => AsyncIterable<SseEvent>, clock: Clock): Response {
  const frames = async function* (signal: AbortSignal) {
    for await (const event of open(signal)) yield frame(event);
  };
  return framesResponse(`retry: ${RETRY_MS}\n\n`, frames, clock);
}

/**
 * The same for frames as they are to be sent, for readers who want them otherwise.
 * @param first Sent at once, so that the reader has its headers.
 */
export function framesResponse(
  first: string,
  open: (signal: AbortSignal) => AsyncIterable<string>,
  clock: Clock,
): Response {
  const leaving = new AbortController();
  const events = open(leaving.signal)[Symbol.asyncIterator]();
  // Asked for at once: a stream "from now on" begins now, not when its reader first reads.
  let next: Promise<IteratorResult<string>> | null = events.next();
  next.catch(() => {});

  const leave = () => {
    leaving.abort();
    next?.catch(() => {});
    void events.return?.();
  };
  let cancelStalled = () => {};
  const offer = (controller: ReadableStreamDefaultController<Uint8Array>, text: string) => {
    controller.enqueue(encode(text));
    cancelStalled = clock.after(STALLED_MS, () => {
      leave();
      controller.error(new StalledReader());
    });
  };

  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      offer(controller, first);
    },
    // Called once what was offered last has been taken.
    async pull(controller) {
      cancelStalled();
      next ??= events.next();
      const result = await Promise.race([next, quiet(clock, next)]);
      if (result === 'quiet') return offer(controller, ': still here\n\n');
      next = null;
      if (result.done) controller.close();
      else offer(controller, result.value);
    },
    cancel() {
      cancelStalled();
      leave();
    },
  });
  return new Response(stream, { headers: HEADERS });
}

/** Resolves when nothing has come for a while; its timer goes when something does. */
function quiet(clock: Clock, next: Promise<unknown>): Promise<'quiet'> {
  return new Promise((resolve) => {
    const cancel = clock.after(COMMENT_EVERY_MS, () => resolve('quiet'));
    next.then(cancel, cancel);
  });
}
