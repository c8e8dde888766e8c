/** Sessions: made, found, listed, claimed, erased. Their state is moved by the event log alone. */
import { and, desc, eq, exists, gt, inArray, isNull, lt, not, or, sql } from 'drizzle-orm';
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import type { Clock } from '../flow/clock.ts';
import type { Database } from './database.ts';
import { pageCursor, pagePlace } from './page-cursor.ts';
import { ERASE_BATCH, eraseBatch } from './retention.ts';
import { idempotencyKeys, sessions, streamTokens } from './schema.ts';
import { withEvents } from './session-events.ts';
import type { NewSession, SessionStore } from './store.ts';

function recordOf(row: typeof sessions.$inferSelect): SessionRecord {
  const { id, tenantId, source, state, options, model, durationMs, processedMs, lastSeq, audioUrl } = row;
  const { createdAt, startedAt, finishedAt } = row;
  return {
    id,
    tenantId,
    source,
    state,
    options,
    model,
    durationMs,
    processedMs,
    lastSeq,
    audioUrl,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

const isLive = inArray(sessions.state, ['PENDING', 'IN_PROGRESS']);

const isSession = (id: string, tenantId: string | null) =>
  and(eq(sessions.id, id), tenantId === null ? undefined : eq(sessions.tenantId, tenantId));

export function sessionStore(database: Database, clock: Clock): SessionStore {
  const rowOf = (session: NewSession): typeof sessions.$inferInsert => {
    const createdAt = new Date(clock.now());
    const webhookUrl = session.options.webhook?.url ?? null;
    return { ...session, webhookUrl, createdAt, ownerUntilMs: createdAt.getTime() };
  };

  return {
    async create(session) {
      const [row] = await database.run(({ orm }) => orm.insert(sessions).values(rowOf(session)).returning());
      return recordOf(row!);
    },

    createOnce: (session, { key, fingerprint }) =>
      database.run(async ({ orm }) => {
        const { id: sessionId, tenantId } = session;
        const made = await orm.transaction(async (tx) => {
          const [row] = await tx.insert(sessions).values(rowOf(session)).returning();
          const isFirst = await tx
            .insert(idempotencyKeys)
            .values({ tenantId, key, fingerprint, sessionId, createdAtMs: clock.now() })
            // Waits for another request with this key to commit or to fail.
            .onConflictDoNothing()
            .returning({ sessionId: idempotencyKeys.sessionId });
          if (isFirst.length === 0) await tx.delete(sessions).where(eq(sessions.id, sessionId));
          return isFirst.length > 0 ? row! : null;
        });
        if (made) return { record: recordOf(made), isNew: true };
        const [found] = await orm
          .select({ fingerprint: idempotencyKeys.fingerprint, session: sessions })
          .from(idempotencyKeys)
          .innerJoin(sessions, eq(sessions.id, idempotencyKeys.sessionId))
          .where(and(eq(idempotencyKeys.tenantId, tenantId), eq(idempotencyKeys.key, key)));
        if (found?.fingerprint !== fingerprint)
          throw new Failure('idempotency_conflict', 'This Idempotency-Key was used for another request.');
        return { record: recordOf(found.session), isNew: false };
      }),

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

    async delete(id, tenantId) {
      const gone = await database.run(({ orm }) =>
        orm.delete(sessions).where(isSession(id, tenantId)).returning({ id: sessions.id }),
      );
      return gone.length > 0;
    },

    async claim(id, nodeId, untilMs) {
      const isOwn = eq(sessions.ownerNode, nodeId);
      const isFree = or(isNull(sessions.ownerNode), isOwn, lt(sessions.ownerUntilMs, clock.now()));
      const [claimed] = await database.run(({ orm }) =>
        orm
          .update(sessions)
          .set({
            ownerNode: nodeId,
            ownerUntilMs: untilMs,
            fence: sql`${sessions.fence} + case when ${isOwn} then 0 else 1 end`,
            crashes: sql`${sessions.crashes} + case when ${isNull(sessions.ownerNode)} or ${isOwn} then 0 else 1 end`,
          })
          .where(and(eq(sessions.id, id), isLive, isFree))
          .returning({ fence: sessions.fence, crashes: sessions.crashes }),
      );
      return claimed ?? null;
    },

    async renew(nodeId, untilMs, held) {
      const rows = await database.run(
        // Locked in one order, so that two such statements never wait for each other.
        ({ sql }) => sql<{ id: string }[]>`
          with ours as materialized (
            select sessions.id, held.processed_ms, held.duration_ms
            from sessions join unnest(
              ${held.map(({ id }) => id)}::text[], ${held.map(({ processedMs }) => processedMs)}::bigint[],
              ${held.map(({ durationMs }) => durationMs)}::bigint[]
            ) as held (id, processed_ms, duration_ms) on sessions.id = held.id
            where owner_node = ${nodeId} and state in ('PENDING', 'IN_PROGRESS')
            order by sessions.id
            for no key update of sessions
          )
          update sessions set
            owner_until_ms = ${untilMs}, duration_ms = coalesce(ours.duration_ms, sessions.duration_ms),
            processed_ms = greatest(sessions.processed_ms, ours.processed_ms)
          from ours where sessions.id = ours.id
          returning sessions.id`,
      );
      return new Set(rows.map(({ id }) => id));
    },

    async release(id, nodeId) {
      await database.run(({ orm }) =>
        orm
          .update(sessions)
          .set({ ownerNode: null, ownerUntilMs: sql`least(${sessions.ownerUntilMs}, ${clock.now()})` })
          .where(and(eq(sessions.id, id), isLive, eq(sessions.ownerNode, nodeId))),
      );
    },

    async releaseAll() {
      const ownerUntilMs = sql`least(${sessions.ownerUntilMs}, ${clock.now()})`;
      const crashes = sql`${sessions.crashes} + case when ${isNull(sessions.ownerNode)} then 0 else 1 end`;
      await database.run(({ orm }) =>
        orm.update(sessions).set({ ownerNode: null, ownerUntilMs, crashes }).where(isLive),
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
      return rows.map((row) => ({
        ...recordOf(row),
        crashes: row.crashes + (row.ownerNode === null ? 0 : 1),
      }));
    },

    async deleteEndedBefore(beforeMs) {
      for (let total = 0; ; ) {
        const gone = await database.run(({ sql }) => eraseBatch(sql, beforeMs));
        total += gone;
        if (gone < ERASE_BATCH) return total;
      }
    },
  };
}
