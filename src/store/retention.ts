/** Erasing what was kept long enough, so that readers of the feed are told where it begins now. */
import type { Sql } from 'postgres';

/** Sessions erased by one statement, so that none holds others up for long. */
export const ERASE_BATCH = 100;

/**
 * Erases sessions that ended before an instant (epoch ms), of all tenants: {@link ERASE_BATCH} at most.
 * @returns How many.
 */
export async function eraseBatch(sql: Sql, beforeMs: number): Promise<number> {
  const gone = await sql`
    with batch as materialized (
      select id from sessions where finished_at < ${new Date(beforeMs).toISOString()} limit ${ERASE_BATCH}
    ), edges as (
      select distinct on (tenant_id) tenant_id, xid, position from events
      where session_id in (select id from batch)
      order by tenant_id, xid desc, position desc
    ), floors as (
      insert into feed_floors (tenant_id, xid, position) select tenant_id, xid, position from edges
      on conflict (tenant_id) do update set xid = excluded.xid, position = excluded.position
        where (excluded.xid, excluded.position) > (feed_floors.xid, feed_floors.position)
    )
    delete from sessions where id in (select id from batch) returning id`;
  return gone.length;
}
