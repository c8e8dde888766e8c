/**
 * The feed: the events of all a tenant's sessions in an order that never changes once read.
 *
 * Numbers from a sequence would not do: a transaction that took a low number may commit after one that took a
 * higher number was read. So events are ordered by the transaction that wrote them, and only those are shown
 * that are older than every transaction still running (`pg_snapshot_xmin`): whatever commits later has a
 * higher transaction id than anything shown. The price is that the feed waits for the slowest writer of the
 * whole server.
 *
 * For the same reason "from now on" cannot be a place in that order: events newer than the slowest writer may be
 * stored already. Such a cursor carries the snapshot it was given out in, and leaves out what that one shows,
 * until all transactions it saw running have ended.
 */
import { Failure } from '../domain/failure.ts';
import type { Client } from './database.ts';
import { type EventRow, eventOf } from './event-row.ts';
import type { EventLog } from './store.ts';

const CURSOR = /^(\d{1,19})\.(\d{1,18})(?:@(\d{1,19}:\d{1,19}:[\d,]{0,4000}))?$/;

interface Place {
  readonly xid: string;
  readonly position: string;
}

interface Cursor extends Place {
  /** What was stored already when the reading began, as a `pg_snapshot`; null where that makes no difference. */
  readonly since: string | null;
}

/** Before all events. */
const BEGINNING: Cursor = { xid: '0', position: '0', since: null };

const cursorOf = ({ xid, position }: Place, since: string | null): string =>
  `${xid}.${position}${since === null ? '' : `@${since}`}`;

const noCursor = (): Failure => new Failure('bad_request', 'That is not a cursor of this feed.');

function readCursor(cursor: string): Cursor {
  if (cursor === '0') return BEGINNING;
  const [, xid, position, since = null] = CURSOR.exec(cursor) ?? [];
  if (xid === undefined || (since !== null && !isSnapshot(since))) throw noCursor();
  return { xid, position: position!, since };
}

/** `xmin:xmax:running,…`, in order, as PostgreSQL writes it. */
function isSnapshot(text: string): boolean {
  const [from, to, running = ''] = text.split(':');
  const xids = running === '' ? [] : running.split(',').map(BigInt);
  const [xmin, xmax] = [BigInt(from!), BigInt(to!)];
  const isInOrder = xids.every((xid, at) => xid >= (xids[at - 1] ?? xmin) && xid < xmax);
  return xmin > 0n && xmin <= xmax && isInOrder;
}

/** The snapshot while it matters: until everything it did not show is behind the edge. */
function stillNeeded(since: string | null, edge: string): string | null {
  return since !== null && BigInt(since.split(':')[1]!) > BigInt(edge) ? since : null;
}

/** A place and an event, or nulls where there is none: the edge alone is always told. */
type FeedRow = { edge: string; now: string; isAhead: boolean; isExpired: boolean } & (
  | (Omit<EventRow, 'at'> & Place & { at: string })
  | { xid: null }
);

/**
 * See `EventLog.feed`.
 * @throws Failure `bad_request` on a cursor that this database never gave out, or that retention has overtaken.
 */
export async function readFeed(
  { sql }: Client,
  tenantId: string,
  cursor: string | null,
  limit: number,
): ReturnType<EventLog['feed']> {
  const after = cursor === null ? null : readCursor(cursor);
  const { xid, position, since } = after ?? BEGINNING;
  const rows = await sql<FeedRow[]>`
    with edge as materialized (
      select pg_snapshot_xmin(pg_current_snapshot()) as xid, pg_current_snapshot()::text as now
    )
    select edge.xid::text as edge, edge.now, ${xid}::xid8 > edge.xid as "isAhead",
      ${cursor !== null && cursor !== '0'} and exists (
        select from feed_floors floor
        where floor.tenant_id = ${tenantId} and (floor.xid, floor.position) > (${xid}::xid8, ${position}::bigint)
      ) as "isExpired",
      page.*
    from edge left join lateral (
      select session_id as "sessionId", seq, type, body, at, events.xid::text, position::text
      from events
      where tenant_id = ${tenantId} and events.xid < edge.xid and ${after !== null}
        and (events.xid, position) > (${xid}::xid8, ${position}::bigint)
        and (${since}::pg_snapshot is null or not pg_visible_in_snapshot(events.xid, ${since}::pg_snapshot))
      order by events.xid, events.position
      limit ${limit}
    ) page on true`;
  // More digits than a database of this age has had transactions: from another one, or from before a restore.
  const { edge, now, isAhead, isExpired } = rows[0]!;
  if (isAhead) throw noCursor();
  if (isExpired)
    throw new Failure(
      'bad_request',
      'What came after that cursor is no longer kept; begin again at 0 or now.',
    );

  const kept = stillNeeded(after === null ? now : since, edge);
  const page = rows.flatMap((row) =>
    row.xid === null
      ? []
      : [{ cursor: cursorOf(row, kept), event: eventOf({ ...row, at: new Date(row.at) }) }],
  );
  // A short page has reached the edge: whatever comes is at or after it.
  const end = page.length === limit ? page.at(-1)!.cursor : cursorOf({ xid: edge, position: '0' }, kept);
  return { events: page, cursor: end };
}
