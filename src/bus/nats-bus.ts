/** The bus of a cluster that has NATS: larger messages, and none of them on the database's account. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Failure } from '../domain/failure.ts';
import { sleep } from '../flow/clock.ts';
import type { Bus, BusCounts, BusMessage, BusParts } from './bus.ts';
import { Inbox } from './inbox.ts';
import { type NatsAddress, natsAddress } from './nats-address.ts';
import { Outbox } from './outbox.ts';

/** What a server takes unless it says otherwise. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 500;
/** A server that leaves two pings unanswered is gone. */
const PING_EVERY_MS = 10_000;
const PINGS_UNANSWERED = 2;

export interface NatsBusParts extends BusParts {
  /** See {@link natsAddress}. */
  readonly url: string;
  /** Subjects begin with it: gateways that share a server need one each. */
  readonly prefix: string;
}

export class NatsBus implements Bus {
  readonly #parts: NatsBusParts;
  readonly #address: NatsAddress;
  readonly #subject: string;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #closing = new AbortController();
  #connection: NatsConnection | null = null;
  /** Fails what waits for an answer of the server. */
  #giveUp: (error: Error) => void = () => {};

  /** @throws Failure `bad_request` where the address or the prefix is none. */
  constructor(parts: NatsBusParts) {
    const { url, prefix, nodeId, clock, onError } = parts;
    if (!/^[\w-]+(\.[\w-]+)*$/.test(prefix))
      throw new Failure(
        'bad_request',
        'The prefix of NATS subjects is letters and digits, separated by dots.',
      );
    this.#parts = parts;
    this.#address = natsAddress(url);
    this.#subject = `${prefix}.events`;
    const maxBytes = () => this.#connection?.info?.max_payload ?? MAX_PAYLOAD_BYTES;
    const deliver = (texts: readonly string[]) => this.#publish(texts);
    this.#outbox = new Outbox({ nodeId, clock, deliver, maxBytes });
    this.#inbox = new Inbox(nodeId, onError);
    void this.#stayConnected();
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
    await this.#outbox.close();
    this.#closing.abort();
    await this.#connection?.close();
  }

  /**
   * Connects again for ever, here and not in the library: that one gives up on a refused login, buffers without
   * a bound what is said meanwhile, and cannot be stopped before it was connected once.
   */
  async #stayConnected(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#connect();
      } catch (error) {
        if (!signal.aborted) this.#parts.onError(error);
      }
      await sleep(this.#parts.clock, RECONNECT_DELAY_MS, signal).catch(() => {});
    }
  }

  /** Connects, and listens until the connection is lost: then rejects with the reason. */
  async #connect(): Promise<void> {
    const connection = await connect({
      ...this.#address,
      name: `earshot ${this.#parts.nodeId}`,
      timeout: CONNECT_TIMEOUT_MS,
      reconnect: false,
      pingInterval: PING_EVERY_MS,
      maxPingOut: PINGS_UNANSWERED,
      noEcho: true,
      noAsyncTraces: true,
    });
    if (this.#closing.signal.aborted) return connection.close();
    connection.subscribe(this.#subject, {
      callback: (error, message) => {
        if (!error) return this.#inbox.take(message.string());
        // A subscription that is refused now may be allowed later.
        this.#parts.onError(error);
        void connection.close();
      },
    });
    this.#connection = connection;
    const reason = (await connection.closed()) ?? new Error('the connection to NATS was lost');
    this.#connection = null;
    this.#giveUp(reason);
    throw reason;
  }

  /** Resolves when the server has them all: only then there is room for more. */
  #publish(texts: readonly string[]): Promise<void> {
    const connection = this.#connection;
    return new Promise((resolve, reject) => {
      if (!connection) throw new Error('NATS is away');
      for (const text of texts) connection.publish(this.#subject, text);
      // The library forgets what it owes an answer when the connection is lost.
      this.#giveUp = reject;
      connection.flush().then(resolve, reject);
    });
  }
}
