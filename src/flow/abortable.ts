/**
 * Reads on until `signal` says stop, also while waiting for an item: then rejects with the signal's reason. The
 * source is told to finish, but not waited for.
 */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  if (!signal) {
    yield* source;
    return;
  }
  const items = source[Symbol.asyncIterator]();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  aborted.catch(() => {});
  try {
    while (true) {
      signal.throwIfAborted();
      const next = await Promise.race([items.next(), aborted]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    const leaving = items.return?.();
    leaving?.catch(() => {});
    // A source that is busy, maybe for ever, can't be waited for.
    if (!signal.aborted) await leaving;
  }
}
