/** What every request passes before a face sees it: an id, the origin rule, and who is asking. */
import type { Context, MiddlewareHandler } from 'hono';
import { isLoopback } from '../config.ts';
import { Failure } from '../domain/failure.ts';
import type { NewId } from '../domain/ids.ts';
import { type Access, credentialOf } from './access.ts';
import type { Env } from './parts.ts';

/** Gives each request an id, shown in problems and logs. */
export function requestId(newId: NewId): MiddlewareHandler<Env> {
  return async (c, next) => {
    c.set('requestId', newId('req'));
    await next();
    c.header('x-request-id', c.get('requestId'));
  };
}

/** Lets go of what a HEAD request will not send: an event stream would otherwise stay open with no reader. */
export const bodiless: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  if (c.req.method === 'HEAD') await c.res.body?.cancel();
};

export interface OriginRule {
  /** Origins allowed besides the gateway's own; `*` for any. */
  readonly allowed: readonly string[];
  /** Whether anybody who reaches the gateway may use it: then only pages of this machine may. */
  readonly open: boolean;
}

/**
 * Refuses pages of other origins, before the WebSocket handshake too, and answers CORS for allowed ones. A
 * gateway that asks for no key also refuses a foreign `Host`, since a page could rebind its own name to loopback.
 */
export function origins({ allowed, open }: OriginRule): MiddlewareHandler<Env> {
  return async (c, next) => {
    const url = new URL(c.req.url);
    if (open && !isLoopback(url.hostname))
      throw new Failure('forbidden', 'Without a key this gateway answers to 127.0.0.1 and localhost only.');
    const origin = c.req.header('origin');
    if (origin === undefined || isOwn(origin, c.req.header('host') ?? url.host)) return await next();
    if (!allowed.includes('*') && !allowed.includes(origin))
      throw new Failure(
        'forbidden',
        'Pages of this origin may not use the gateway; ALLOWED_ORIGINS lists those that may.',
      );
    if (c.req.method === 'OPTIONS') return c.body(null, 204, corsHeaders(origin));
    await next();
    for (const [name, value] of Object.entries(corsHeaders(origin))) c.res.headers.set(name, value);
  };
}

function isOwn(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

const corsHeaders = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers': '*, authorization, content-type, idempotency-key, last-event-id',
  'access-control-expose-headers': 'location, retry-after, x-request-id',
  'access-control-max-age': '600',
  vary: 'origin',
});

/** Finds out who is asking. @throws Failure `unauthorized` */
export function authenticate(access: Access): MiddlewareHandler<Env> {
  return async (c, next) => {
    const credential = credentialOf({
      authorization: c.req.header('authorization'),
      token: c.req.query('token'),
    });
    c.set('caller', await access.identify(credential));
    await next();
  };
}

/** The tenant of a caller with a key. @throws Failure `forbidden` for a token, which opens one session only. */
export function tenantOf(c: Context<Env>): string {
  const caller = c.get('caller');
  if (caller.kind === 'tenant') return caller.tenantId;
  throw new Failure(
    'forbidden',
    'A session token opens that session’s stream and events only; this needs a key.',
  );
}
