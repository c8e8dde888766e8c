/** Short-lived tokens for Deepgram's clients: `POST /v1/auth/grant`. */
import { Hono } from 'hono';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { check, jsonBody, smallBody } from '../request.ts';
import { credentialOf } from './credential.ts';

const DEFAULT_TTL_SECONDS = 30;
const MAX_TTL_SECONDS = 3600;

export const grantBody = z.strictObject({
  ttl_seconds: z.int().min(1).max(MAX_TTL_SECONDS).default(DEFAULT_TTL_SECONDS),
});

/** The routes of this face. */
export function grantRoutes({ access }: HttpParts): Routes {
  const routes: Routes = new Hono<Env>();
  routes.post('/v1/auth/grant', smallBody, async (c) => {
    const caller = await access.identify(credentialOf(c));
    if (caller.kind !== 'tenant')
      throw new Failure('forbidden', 'A token grants no others; this needs a key.');
    const { ttl_seconds } = check(grantBody, await jsonBody(c));
    const { token } = await access.grant({ tenantId: caller.tenantId, settings: null }, ttl_seconds);
    return c.json({ access_token: token, expires_in: ttl_seconds });
  });
  return routes;
}
