/**
 * The outbox: deliveries that are due are held by one node at a time for as long as an attempt may take, and whoever was
 * overtaken meanwhile writes nothing.
 */
import type { TransactionSql } from 'postgres';
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { append } from './append.ts';
import type { Database } from './database.ts';
import { eventOf } from './event-row.ts';
import type { DeliveryStore, DueDelivery, Verdict } from './store.ts';

const notRedeliverable = (): Failure =>
  new Failure('not_redeliverable', 'This session has no webhook, or has nothing to deliver yet.');

/** After the delivery itself, never before it: two transactions that lock in different orders would wait for ever. */
const endedState = (tx: TransactionSql, ids: readonly string[]) => tx`
  update sessions set state = case
    when exists (select from events where session_id = sessions.id and type = 'session.failed') then 'FAILED'
    else 'DONE' end
  where id = any(${ids as string[]}) and state = 'SENT'`;

export function deliveryStore(database: Database, clock: Clock): DeliveryStore {
  const begin = <T>(work: (tx: TransactionSql) => Promise<T>): Promise<T> =>
    database.run(({ sql }) => sql.begin(work) as Promise<T>);

  /** Begins the schedule of some deliveries anew; of one session where it is named. */
  const again = (tenantId: string, sessionId: string | null, sinceMs: number): Promise<number> =>
    begin(async (tx) => {
      const rows = await tx<{ sessionId: string; url: string }[]>`
        update deliveries set
          state = 'pending', round_attempts = 0, next_attempt_at_ms = ${clock.now()}, lease_until_ms = 0,
          lease = lease + 1
        where tenant_id = ${tenantId} and case
          when ${sessionId}::text is not null then session_id = ${sessionId}
          else state = 'failed' and session_id in (
            select id from sessions where tenant_id = ${tenantId} and finished_at >= ${new Date(sinceMs).toISOString()}
          ) end
        returning session_id as "sessionId", url`;
      const urls = [...new Set(rows.map(({ url }) => url))];
      await tx`delete from endpoints where tenant_id = ${tenantId} and url = any(${urls})`;
      await endedState(
        tx,
        rows.map((row) => row.sessionId),
      );
      return rows.length;
    });

  return {
    takeDue: (nowMs, leaseMs, { count, perEndpoint, busy }) =>
      database.run(
        ({ sql }) => sql<DueDelivery[]>`
          with due as materialized (
            select session_id, disabled_at_ms is not null as is_disabled, row_number() over (
              partition by url order by next_attempt_at_ms, session_id
            ) as place
            from deliveries left join endpoints using (tenant_id, url)
            where state = 'pending' and next_attempt_at_ms <= ${nowMs} and lease_until_ms <= ${nowMs}
              and not url = any(${busy as string[]})
          ), given_up as (
            update deliveries set state = 'failed', next_attempt_at_ms = null
            where session_id in (select session_id from due where is_disabled limit 1000)
              and state = 'pending' and lease_until_ms <= ${nowMs}
          ), chosen as materialized (
            select session_id from deliveries
            where state = 'pending' and lease_until_ms <= ${nowMs} and session_id in (
              select session_id from due where place <= ${perEndpoint} and not is_disabled
            )
            order by next_attempt_at_ms limit ${count}
            for update skip locked
          )
          update deliveries set lease = lease + 1, lease_until_ms = ${nowMs + leaseMs}
          from chosen where deliveries.session_id = chosen.session_id
          returning deliveries.session_id as "sessionId", tenant_id as "tenantId", url,
            round_attempts as "roundAttempts", lease, body`,
      ),

    keepBody: (sessionId, body) =>
      database.run(async ({ sql }) => {
        const [row] = await sql<{ body: string }[]>`
          update deliveries set body = coalesce(body, ${body}) where session_id = ${sessionId} returning body`;
        if (!row) throw new Failure('not_found', 'There is no such session.');
        return row.body;
      }),

    record: (due, attempt, verdict, disableAfterMs) =>
      begin(async (tx) => {
        const at = new Date(clock.now());
        const { sessionId, tenantId, url, lease } = due;
        const [held] = await tx<{ attempts: number }[]>`
          update deliveries set
            attempts = attempts + 1, round_attempts = round_attempts + 1, last_status = ${attempt.status},
            state = ${stateAfter(verdict)}, lease_until_ms = 0,
            next_attempt_at_ms = ${verdict.kind === 'retry' ? Math.round(verdict.atMs) : null}
          where session_id = ${sessionId} and lease = ${lease} and state = 'pending'
          returning attempts`;
        if (!held) return null;
        const { attempts } = held;
        const { status, durationMs, error, response } = attempt;
        await tx`
          insert into delivery_attempts (session_id, attempt, at, status, duration_ms, error, response)
          values (${sessionId}, ${attempts}, ${at.toISOString()}, ${status}, ${Math.round(durationMs)}, ${error}, ${response.replaceAll('\0', '')})`;
        if (verdict.kind !== 'sent') {
          await tx`
            insert into endpoints (tenant_id, url, failing_since_ms, disabled_at_ms)
            values (${tenantId}, ${url}, ${at.getTime()}, ${verdict.kind === 'disable' ? at.getTime() : null})
            on conflict (tenant_id, url) do update set disabled_at_ms = coalesce(
              endpoints.disabled_at_ms, excluded.disabled_at_ms,
              case when endpoints.failing_since_ms <= ${at.getTime() - disableAfterMs} then ${at.getTime()}::bigint end
            )`;
          return { events: [] };
        }
        await tx`delete from endpoints where tenant_id = ${tenantId} and url = ${url}`;
        const draft = { type: 'session.sent', attempts } as const;
        const batch = [{ draft, at: at.toISOString() }];
        const row = await append(tx, sessionId, batch, { DONE: 'SENT', FAILED: 'SENT' }, null);
        if (!row?.stored) throw new Failure('conflict', `A session that is ${row?.state} cannot be sent.`);
        const seq = row.lastSeq + 1;
        return { events: [eventOf({ sessionId, seq, type: draft.type, body: { attempts }, at })] };
      }),

    async giveBack({ sessionId, lease }) {
      await database.run(
        ({ sql }) => sql`
          update deliveries set lease_until_ms = 0 where session_id = ${sessionId} and lease = ${lease}`,
      );
    },

    async releaseAll() {
      await database.run(({ sql }) => sql`update deliveries set lease_until_ms = 0 where lease_until_ms > 0`);
    },

    attempts: (sessionId) =>
      database.run(async ({ sql }) => {
        const rows = await sql`
          select attempt, at, status, duration_ms as "durationMs", error, response
          from delivery_attempts where session_id = ${sessionId} order by attempt`;
        return rows.map(({ attempt, at, status, durationMs, error, response }) => ({
          attempt,
          at: new Date(at).toISOString(),
          status,
          durationMs,
          error,
          response,
        }));
      }),

    async redeliver(sessionId, tenantId) {
      if ((await again(tenantId, sessionId, 0)) === 0) throw notRedeliverable();
    },

    redeliverFailed: (tenantId, sinceMs) => again(tenantId, null, sinceMs),

    secretSince: (secretHash) =>
      database.run(async ({ sql }) => {
        const [row] = await sql<{ sinceMs: string }[]>`
          insert into webhook_secrets (secret_hash, first_seen_ms) values (${secretHash}, ${clock.now()})
          on conflict (secret_hash) do update set first_seen_ms = webhook_secrets.first_seen_ms
          returning first_seen_ms as "sinceMs"`;
        return Number(row!.sinceMs);
      }),
  };
}

const stateAfter = ({ kind }: Verdict): 'sent' | 'pending' | 'failed' => {
  if (kind === 'sent') return 'sent';
  return kind === 'retry' ? 'pending' : 'failed';
};
