/** The messages that wait to be sent: a bounded line in which the newer word replaces the older. */
import { isDurable } from '../domain/event.ts';
import type { BusMessage } from './bus.ts';

export interface Waiter {
  readonly message: BusMessage;
  /** When it was said, by the clock's `monotonicMs`. */
  readonly sinceMs: number;
}

/** What nobody could be told for so long is no longer worth telling. */
const HOLD_MS = 10_000;

/** Two messages of one name say the same, or the later says it better. */
function nameOf(message: BusMessage): string {
  switch (message.kind) {
    case 'take':
      return `take ${message.sessionId} ${message.requestId}`;
    case 'event': {
      const { event } = message;
      if (isDurable(event)) return `event ${event.sessionId} ${event.seq}`;
      return `${event.type} ${event.sessionId} ${'utteranceId' in event ? event.utteranceId : ''}`;
    }
    default:
      return `${message.kind} ${message.sessionId}`;
  }
}

/** What is missed least comes first: hints, then what the log has or is soon said again, then what is said once. */
function worth(message: BusMessage): number {
  switch (message.kind) {
    case 'event':
      return isDurable(message.event) ? 1 : 0;
    case 'changed':
    case 'follow':
      return 1;
    case 'take':
    case 'cancel':
      return 2;
  }
}

export class Waiting {
  readonly #waiters = new Map<string, Waiter>();
  readonly #capacity: number;
  #dropped = 0;

  /** @param capacity Messages that may wait; over it the oldest of the least worth is dropped. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** How many were dropped; not those that a newer word replaced. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Puts a message last, in the place of an older one that it replaces. */
  add(waiter: Waiter): void {
    const name = nameOf(waiter.message);
    this.#waiters.delete(name);
    this.#waiters.set(name, waiter);
    if (this.#waiters.size > this.#capacity) this.#dropOne();
  }

  /** Puts messages that were taken in front again, but for those a newer word has replaced. */
  putBack(taken: readonly Waiter[]): void {
    const newer = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of [...taken, ...newer]) this.add(waiter);
  }

  /** The first of those that are still worth telling. */
  take(nowMs: number): Waiter | null {
    for (const [name, waiter] of this.#waiters) {
      this.#waiters.delete(name);
      if (nowMs - waiter.sinceMs <= HOLD_MS) return waiter;
      this.#dropped++;
    }
    return null;
  }

  #dropOne(): void {
    let least: { name: string; worth: number } | null = null;
    for (const [name, { message }] of this.#waiters) {
      const candidate = { name, worth: worth(message) };
      if (least === null || candidate.worth < least.worth) least = candidate;
      if (least.worth === 0) break;
    }
    this.#waiters.delete(least!.name);
    this.#dropped++;
  }
}
