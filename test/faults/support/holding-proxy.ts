/** A way to a database on which a statement can be held up, to arrive when nobody expects it any more. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export class HoldingProxy {
  readonly #target: URL;
  readonly #server = createServer((client) => this.#accept(client));
  readonly #sockets = new Set<Socket>();
  /** What is held up, in the order in which it came. */
  #held: (() => void)[] | null = null;
  #marker: string | null = null;
  #onHeld = () => {};
  #onAnswer = () => {};

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  /** @param target A `postgresql://` address. */
  static async start(target: string): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The same database by way of this. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    const url = new URL(this.#target);
    url.host = `127.0.0.1:${port}`;
    return url.href;
  }

  /**
   * Waits for a statement that contains a text; it, and whatever else the client says from then on, is held up.
   * Resolves once it is.
   */
  holdFrom(marker: string): Promise<void> {
    this.#marker = marker;
    return new Promise((resolve) => {
      this.#onHeld = resolve;
    });
  }

  /** Lets go of what is held up. Resolves once the statement waited for is answered. */
  release(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#onAnswer = resolve;
    });
    const held = this.#held ?? [];
    this.#held = null;
    for (const pass of held) pass();
    return answered;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const server = connect({ host: this.#target.hostname, port: Number(this.#target.port || 5432) });
    let isMarked = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    client.on('data', (bytes) => {
      if (this.#marker !== null && bytes.includes(this.#marker)) {
        [isMarked, this.#marker] = [true, null];
        this.#held = [];
        this.#onHeld();
      }
      if (this.#held) this.#held.push(() => server.write(bytes));
      else server.write(bytes);
    });
    server.on('data', (bytes) => {
      client.write(bytes);
      if (isMarked && this.#held === null) this.#onAnswer();
    });
  }
}
