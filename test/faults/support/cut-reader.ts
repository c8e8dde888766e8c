/** A reader of server-sent events whose connections break in the middle of a byte stream. */
import { type SseMessage, SseParser } from '../../../src/client/sse.ts';

/** What one connection gave, up to its end. */
export interface Read {
  readonly messages: readonly SseMessage[];
  /** `cut`: by the reader, as it was told to. `ended`: by the server, properly. `broken`: by neither. */
  readonly how: 'cut' | 'ended' | 'broken';
}

/** How a reader says from where it goes on; both mean the same. */
export const CURSORS = ['header', 'query'] as const;

export interface ReadOptions {
  readonly after: string | null;
  readonly by: (typeof CURSORS)[number];
  /** Breaks the connection off after so many bytes of the body, wherever that is in a character, a line or an event. */
  readonly maxBytes: number;
  /** Told of every message as it comes; true where that is enough. */
  readonly onMessage?: (message: SseMessage) => boolean;
}

/** Reads a stream over one connection. */
export async function readOnce(url: string, options: ReadOptions): Promise<Read> {
  const { after, by, maxBytes, onMessage } = options;
  const address = new URL(url);
  if (after !== null && by === 'query') address.searchParams.set('after', after);
  const headers = after !== null && by === 'header' ? { 'last-event-id': after } : {};
  const leaving = new AbortController();
  const messages: SseMessage[] = [];
  const parser = new SseParser();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let left = maxBytes;
  try {
    const response = await fetch(address, { headers, signal: leaving.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
    for await (const bytes of response.body!) {
      const taken = bytes.subarray(0, left);
      left -= taken.length;
      let isEnough = left === 0;
      for (const message of parser.push(decoder.decode(taken, { stream: true }))) {
        messages.push(message);
        if (onMessage?.(message)) isEnough = true;
      }
      if (isEnough) return { messages, how: 'cut' };
    }
    return { messages, how: 'ended' };
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('HTTP')) throw error;
    return { messages, how: 'broken' };
  } finally {
    leaving.abort();
  }
}
