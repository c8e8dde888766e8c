/** Who asks, of OpenAI's clients: a key, or a token that was granted, always as `Authorization: Bearer`. */
import type { Context } from 'hono';
import { type Access, credentialOf } from '../access.ts';
import type { Env } from '../parts.ts';

/** @throws Failure `unauthorized` */
export async function tenantOf(c: Context<Env>, access: Access): Promise<string> {
  const { tenantId } = await access.admit(credentialOf({ authorization: c.req.header('authorization') }));
  return tenantId;
}
