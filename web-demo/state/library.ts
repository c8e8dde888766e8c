import { EarshotError } from '../../src/client/error.ts';
import type { Session } from '../../src/client/index.ts';
import type { Gateway } from './gateway.ts';
import { Observable } from './observable.ts';

const PAGE = 20;
/** Events come in bursts; the list is read again once a burst is over. */
const QUIET_MS = 400;

/** The sessions of this key, newest first: as many pages as were asked for, kept up to date by the feed. */
export class Library extends Observable {
  readonly #gateway: Gateway;
  #items: readonly Session[] = [];
  #nextCursor: string | null = null;
  #loaded = false;
  #refreshing: ReturnType<typeof setTimeout> | null = null;

  constructor(gateway: Gateway) {
    super();
    this.#gateway = gateway;
  }

  get items(): readonly Session[] {
    return this.#items;
  }

  get hasMore(): boolean {
    return this.#nextCursor !== null;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Reads the newest sessions again; older ones already shown stay. */
  async refresh(): Promise<void> {
    const { items, nextCursor } = await this.#gateway.call((client) => client.sessions({ limit: PAGE }));
    const oldest = items.at(-1)?.createdAt ?? '';
    const known = new Set(items.map(({ id }) => id));
    const older =
      nextCursor === null
        ? []
        : this.#items.filter(({ id, createdAt }) => createdAt < oldest && !known.has(id));
    if (older.length === 0) this.#nextCursor = nextCursor;
    this.#items = [...items, ...older];
    this.#loaded = true;
    this.changed();
  }

  /** Reads the next page. */
  async more(): Promise<void> {
    const cursor = this.#nextCursor;
    if (cursor === null) return;
    const page = await this.#gateway.call((client) => client.sessions({ limit: PAGE, cursor }));
    const known = new Set(this.#items.map(({ id }) => id));
    this.#items = [...this.#items, ...page.items.filter(({ id }) => !known.has(id))];
    this.#nextCursor = page.nextCursor;
    this.changed();
  }

  async delete(id: string): Promise<void> {
    await this.#gateway
      .call((client) => client.delete(id))
      .catch((error: unknown) => {
        // Gone already: that is what was wanted.
        if (!(error instanceof EarshotError && error.code === 'not_found')) throw error;
      });
    this.#items = this.#items.filter((session) => session.id !== id);
    this.changed();
  }

  /** Keeps the list up to date for as long as the page is open. */
  async watch(): Promise<void> {
    for await (const { event } of this.#gateway.client.feed())
      if (event.type !== 'llm.token') this.#refreshSoon();
  }

  #refreshSoon(): void {
    if (this.#refreshing) return;
    this.#refreshing = setTimeout(() => {
      this.#refreshing = null;
      // A list that is a moment old is no reason to disturb anyone.
      this.refresh().catch(() => {});
    }, QUIET_MS);
  }
}
