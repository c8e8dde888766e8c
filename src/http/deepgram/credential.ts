/** Who asks, as Deepgram's clients say it. */
import type { Context } from 'hono';
import type { Env } from '../parts.ts';

/**
 * The key or token of a request: `Authorization: Token <key>` or `Bearer <token>`, or, from a browser's WebSocket, the
 * same two words as a pair of subprotocols. Null where there is none.
 */
export function credentialOf(c: Context<Env>): string | null {
  const header = /^(?:token|bearer) +(\S+)$/i.exec(c.req.header('authorization')?.trim() ?? '');
  if (header) return header[1]!;
  const [scheme, value] = (c.req.header('sec-websocket-protocol') ?? '')
    .split(',')
    .map((part) => part.trim());
  return (scheme === 'token' || scheme === 'bearer') && value ? value : null;
}
