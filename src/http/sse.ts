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

/** What a client waits before it connects again. */
const RETRY_MS = 2000;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function frame({ event, data, id }: SseEvent): Uint8Array {
  const idLine = id === null ? '' : `id: ${id}\n`;
  return encode(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * Streams events until they end or the client leaves. The next event is only asked for when the last has been
 * taken, so a reader that stalls holds one event and its place in the hub, no more.
 * @param open Given a signal that aborts when the client leaves.
 */
export function sseResponse(open: (signal: AbortSignal) => AsyncIterable<SseEvent>, clock: Clock): Response {
  const leaving = new AbortController();
  const events = open(leaving.signal)[Symbol.asyncIterator]();
  // Asked for at once: a stream "from now on" begins now, not when its reader first reads.
  let next: Promise<IteratorResult<SseEvent>> | null = events.next();
  next.catch(() => {});

  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encode(`retry: ${RETRY_MS}\n\n`));
    },
    async pull(controller) {
      next ??= events.next();
      const result = await Promise.race([next, quiet(clock, next)]);
      if (result === 'quiet') {
        controller.enqueue(encode(': still here\n\n'));
        return;
      }
      next = null;
      if (result.done) controller.close();
      else controller.enqueue(frame(result.value));
    },
    cancel() {
      leaving.abort();
      next?.catch(() => {});
      void events.return?.();
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
