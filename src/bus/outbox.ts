/** Sends what the node has to say: what came together travels together, one batch on its way at a time. */
import { type Clock, sleep, waitAtMost } from '../flow/clock.ts';
import type { BusCounts, BusMessage } from './bus.ts';
import { seal } from './envelope.ts';
import { type Waiter, Waiting } from './waiting.ts';

/** Messages that may wait while a batch is on its way, or nobody can be reached. */
const MESSAGES_WAITING = 1_000;
const BATCH_CHARS = 256 * 1024;
const RETRY_DELAY_MS = 500;
/** How long `close` waits for what is still to be sent. */
const CLOSE_TIMEOUT_MS = 2_000;

export interface OutboxParts {
  readonly nodeId: string;
  readonly clock: Clock;
  /** The most bytes a message may have on its way. */
  readonly maxBytes: () => number;
  /** Hands texts over, in order. Rejects where they may not have got through: they are sent again. */
  readonly deliver: (texts: readonly string[]) => Promise<void>;
}

interface Sealed extends Waiter {
  readonly text: string;
}

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #waiting = new Waiting(MESSAGES_WAITING);
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #onTheirWay = 0;
  #sent = 0;
  #dropped = 0;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  get counts(): Pick<BusCounts, 'waiting' | 'sent' | 'dropped'> {
    const dropped = this.#dropped + this.#waiting.dropped;
    return { waiting: this.#waiting.size + this.#onTheirWay, sent: this.#sent, dropped };
  }

  /** Never waits and never throws. */
  send(message: BusMessage): void {
    if (this.#closing.signal.aborted) {
      this.#dropped++;
      return;
    }
    this.#waiting.add({ message, sinceMs: this.#parts.clock.monotonicMs() });
    this.#running ??= this.#run();
  }

  /** Takes nothing more, and tries once to send what is waiting. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#running) await waitAtMost(this.#parts.clock, CLOSE_TIMEOUT_MS, this.#running);
  }

  async #run(): Promise<void> {
    // Whatever is said in one breath travels in one batch.
    await null;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      if (await this.#arrives(batch)) {
        this.#sent += batch.length;
      } else if (this.#closing.signal.aborted) {
        this.#dropped += batch.length;
        break;
      } else {
        this.#waiting.putBack(batch);
        await sleep(this.#parts.clock, RETRY_DELAY_MS, this.#closing.signal).catch(() => {});
      }
    }
    this.#running = null;
  }

  async #arrives(batch: readonly Sealed[]): Promise<boolean> {
    this.#onTheirWay = batch.length;
    try {
      await this.#parts.deliver(batch.map(({ text }) => text));
      return true;
    } catch {
      return false;
    } finally {
      this.#onTheirWay = 0;
    }
  }

  #take(): Sealed[] {
    const { nodeId: from, clock, maxBytes } = this.#parts;
    const batch: Sealed[] = [];
    for (let chars = 0; chars < BATCH_CHARS; ) {
      const waiter = this.#waiting.take(clock.monotonicMs());
      if (waiter === null) break;
      const text = seal({ from, message: waiter.message }, maxBytes());
      if (text === null) {
        this.#dropped++;
        continue;
      }
      batch.push({ ...waiter, text });
      chars += text.length;
    }
    return batch;
  }
}
