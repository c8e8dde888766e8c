/** Sessions: made, found, listed, claimed, erased. Their state is moved by the event log alone. */
import { and, desc, eq, exists, gt, inArray, isNull, lt, not, or, sql } from 'drizzle-orm';
import type { SessionRecord } from '../domain/session.ts';
import type { Clock } from '../flow/clock.ts';
import type { Database } from './database.ts';
import { pageCursor, pagePlace } from './page-cursor.ts';
import { sessions, streamTokens } from './schema.ts';
import { withEvents } from './session-events.ts';
import type { SessionStore } from './store.ts';

/** Sessions erased by one statement, so that none holds others up for long. */
const ERASE_BATCH = 100;

function recordOf(row: typeof sessions.$inferSelect): SessionRecord {
  const { createdAt, startedAt, finishedAt, ownerNode: _, ownerUntilMs: __, ...rest } = row;
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

const isLive = inArray(sessions.state, ['PENDING', 'IN_PROGRESS']);

const isSession = (id: string, tenantId: string | null) =>
  and(eq(sessions.id, id), tenantId === null ? undefined : eq(sessions.tenantId, tenantId));

export function sessionStore(database: Database, clock: Clock): SessionStore {
  return {
    async create(session) {
      const createdAt = new Date(clock.now());
      const [row] = await database.run(({ orm }) =>
        orm
          .insert(sessions)
          .values({ ...session, createdAt, ownerUntilMs: createdAt.getTime() })
          .returning(),
      );
      return recordOf(row!);
    },

    async find(id, tenantId) {
      const [row] = await database.run(({ orm }) =>
        orm.select().from(sessions).where(isSession(id, tenantId)),
      );
      return row ? recordOf(row) : null;
    },

    read: (id, tenantId) =>
      database.run(async (client) => {
        const rows = await client.orm.select().from(sessions).where(isSession(id, tenantId));
        const [found] = await withEvents(client, rows.map(recordOf));
        return found ?? null;
      }),

    list: (tenantId, { state, cursor, limit }) =>
      database.run(async (client) => {
        const after = cursor === null ? null : pagePlace(cursor);
        const rows = await client.orm
          .select()
          .from(sessions)
          .where(
            and(
              eq(sessions.tenantId, tenantId),
              state === null ? undefined : eq(sessions.state, state),
              after
                ? sql`(${sessions.createdAt}, ${sessions.id}) < (${after.createdAt}::timestamptz, ${after.id})`
                : undefined,
            ),
          )
          .orderBy(desc(sessions.createdAt), desc(sessions.id))
          .limit(limit + 1);
        const items = await withEvents(client, rows.slice(0, limit).map(recordOf));
        const last = items.at(-1);
        return { items, nextCursor: rows.length > limit && last ? pageCursor(last.record) : null };
      }),

    async progress(id, { processedMs, durationMs }) {
      await database.run(({ orm }) =>
        orm
          .update(sessions)
          .set({
            processedMs: sql`greatest(${sessions.processedMs}, ${processedMs})`,
            ...(durationMs !== null && { durationMs }),
          })
          .where(and(eq(sessions.id, id), isLive)),
      );
    },

    async delete(id, tenantId) {
      const gone = await database.run(({ orm }) =>
        orm.delete(sessions).where(isSession(id, tenantId)).returning({ id: sessions.id }),
      );
      return gone.length > 0;
    },

    async claim(id, nodeId, untilMs) {
      const isFree = or(
        isNull(sessions.ownerNode),
        eq(sessions.ownerNode, nodeId),
        lt(sessions.ownerUntilMs, clock.now()),
      );
      const claimed = await database.run(({ orm }) =>
        orm
          .update(sessions)
          .set({ ownerNode: nodeId, ownerUntilMs: untilMs })
          .where(and(eq(sessions.id, id), isLive, isFree))
          .returning({ id: sessions.id }),
      );
      return claimed.length > 0;
    },

    async releaseAll() {
      const ownerUntilMs = sql`least(${sessions.ownerUntilMs}, ${clock.now()})`;
      await database.run(({ orm }) =>
        orm.update(sessions).set({ ownerNode: null, ownerUntilMs }).where(isLive),
      );
    },

    async abandoned(source, nowMs) {
      const rows = await database.run(({ orm }) => {
        const itsTokens = orm
          .select({ one: sql`1` })
          .from(streamTokens)
          .where(and(eq(streamTokens.sessionId, sessions.id), gt(streamTokens.expiresAtMs, nowMs)));
        const isExpected = and(eq(sessions.source, 'live'), eq(sessions.state, 'PENDING'), exists(itsTokens));
        return orm
          .select()
          .from(sessions)
          .where(and(eq(sessions.source, source), isLive, lt(sessions.ownerUntilMs, nowMs), not(isExpected!)))
          .orderBy(sessions.ownerUntilMs);
      });
      return rows.map(recordOf);
    },

    async deleteEndedBefore(beforeMs) {
      const isOld = lt(sessions.finishedAt, new Date(beforeMs));
      for (let total = 0; ; ) {
        const gone = await database.run(({ orm }) => {
          const batch = orm.select({ id: sessions.id }).from(sessions).where(isOld).limit(ERASE_BATCH);
          return orm.delete(sessions).where(inArray(sessions.id, batch)).returning({ id: sessions.id });
        });
        total += gone.length;
        if (gone.length < ERASE_BATCH) return total;
      }
    },
  };
}
