/** Tokens: who holds one may use one session, or open one, until it expires. */
import { and, eq, gt, lte } from 'drizzle-orm';
import type { Clock } from '../flow/clock.ts';
import type { Database } from './database.ts';
import { grants, sessions, streamTokens } from './schema.ts';
import type { TokenStore } from './store.ts';

export function tokenStore(database: Database, clock: Clock): TokenStore {
  return {
    /** @throws Failure `not_found` where there is no such session. */
    async save(tokenHash, sessionId, expiresAtMs) {
      await database.run(async ({ orm }) => {
        await orm.insert(streamTokens).values({ tokenHash, sessionId, expiresAtMs });
        // A session's expired tokens go when it gets a new one, so a long session does not gather them.
        const isExpired = lte(streamTokens.expiresAtMs, clock.now());
        await orm.delete(streamTokens).where(and(eq(streamTokens.sessionId, sessionId), isExpired));
      });
    },

    async find(tokenHash, nowMs) {
      const [found] = await database.run(({ orm }) =>
        orm
          .select({ sessionId: sessions.id, tenantId: sessions.tenantId })
          .from(streamTokens)
          .innerJoin(sessions, eq(sessions.id, streamTokens.sessionId))
          .where(and(eq(streamTokens.tokenHash, tokenHash), gt(streamTokens.expiresAtMs, nowMs))),
      );
      return found ?? null;
    },

    async saveGrant(tokenHash, { tenantId, settings }, expiresAtMs) {
      await database.run(async ({ orm }) => {
        await orm.insert(grants).values({ tokenHash, tenantId, settings, expiresAtMs });
        await orm.delete(grants).where(lte(grants.expiresAtMs, clock.now()));
      });
    },

    async findGrant(tokenHash, nowMs) {
      const [found] = await database.run(({ orm }) =>
        orm
          .select({ tenantId: grants.tenantId, settings: grants.settings })
          .from(grants)
          .where(and(eq(grants.tokenHash, tokenHash), gt(grants.expiresAtMs, nowMs))),
      );
      return found ?? null;
    },
  };
}
