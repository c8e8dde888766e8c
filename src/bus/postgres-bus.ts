/**
 * The bus of a cluster that has nothing but its database: LISTEN and NOTIFY. PostgreSQL lets one notifying
 * transaction commit at a time, which batches make up for: two nodes exchanged 30,000 events in a second.
 */
import type { Sql } from 'postgres';
import { connect } from '../store/connect.ts';
import type { Bus, BusCounts, BusMessage, BusParts } from './bus.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';

const CHANNEL = 'earshot';
/** PostgreSQL refuses payloads of 8,000 bytes and more (its manual, NOTIFY). */
const MAX_PAYLOAD_BYTES = 7_999;
const STATEMENT_TIMEOUT_MS = 5_000;
/** How often a node calls, to hear its own voice: a connection that died without a word tells nobody else. */
const PROBE_EVERY_MS = 10_000;
/** After so many calls that nothing was heard of, the ear is deaf. */
const PROBES_UNHEARD = 2;
const CLOSE_TIMEOUT_S = 1;

export interface PostgresBusParts extends BusParts {
  /** `postgresql://…`, as `store/connect.ts` takes it. */
  readonly url: string;
}

export class PostgresBus implements Bus {
  readonly #parts: PostgresBusParts;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  #sql: Sql;
  #probesUnheard = 0;
  #stopProbing: () => void;
  #closed = false;

  constructor(parts: PostgresBusParts) {
    const { nodeId, clock, onError } = parts;
    this.#parts = parts;
    const deliver = (texts: readonly string[]) => this.#notify(texts);
    this.#outbox = new Outbox({ nodeId, clock, deliver, maxBytes: () => MAX_PAYLOAD_BYTES });
    this.#inbox = new Inbox(nodeId, onError);
    this.#sql = this.#connect();
    this.#stopProbing = clock.after(PROBE_EVERY_MS, () => this.#probe());
  }

  get counts(): BusCounts {
    return { ...this.#outbox.counts, ...this.#inbox.counts };
  }

  send(message: BusMessage): void {
    this.#outbox.send(message);
  }

  onMessage(receive: (message: BusMessage) => void): () => void {
    return this.#inbox.onMessage(receive);
  }

  async close(): Promise<void> {
    this.#stopProbing();
    await this.#outbox.close();
    this.#closed = true;
    await this.#sql.end({ timeout: CLOSE_TIMEOUT_S });
  }

  /** One connection to speak, and one to listen, which postgres.js makes and makes again by itself. */
  #connect(): Sql {
    const settings = { statement_timeout: STATEMENT_TIMEOUT_MS };
    const sql = connect(this.#parts.url, { max: 1, settings });
    const hear = (payload: string) => this.#hear(payload);
    // Even where the first try fails, those that follow it are not told of.
    sql.listen(CHANNEL, hear).catch((error: unknown) => this.#complain(error, sql));
    return sql;
  }

  #hear(payload: string): void {
    if (this.#closed) return;
    this.#probesUnheard = 0;
    if (payload !== '') this.#inbox.take(payload);
  }

  async #notify(payloads: readonly string[]): Promise<void> {
    const sql = this.#sql;
    try {
      await sql`select pg_notify(${CHANNEL}, payload) from unnest(${[...payloads]}::text[]) as payload`;
    } catch (error) {
      this.#complain(error, sql);
      throw error;
    }
  }

  #probe(): void {
    if (this.#probesUnheard >= PROBES_UNHEARD) this.#renew();
    this.#probesUnheard++;
    const sql = this.#sql;
    sql.notify(CHANNEL, '').catch((error: unknown) => {
      // Known to be away, it is dialled already.
      this.#probesUnheard = 0;
      this.#complain(error, sql);
    });
    this.#stopProbing = this.#parts.clock.after(PROBE_EVERY_MS, () => this.#probe());
  }

  #renew(): void {
    const deaf = this.#sql;
    this.#probesUnheard = 0;
    this.#sql = this.#connect();
    this.#parts.onError(new Error('notifications of PostgreSQL do not arrive: listening anew'));
    // What waits for an answer there fails, and is sent again.
    void deaf.end({ timeout: 0 });
  }

  /** Nobody needs to know how a client ends that is given up. */
  #complain(error: unknown, sql: Sql): void {
    if (!this.#closed && sql === this.#sql) this.#parts.onError(error);
  }
}
