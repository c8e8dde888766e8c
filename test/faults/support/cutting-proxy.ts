/** A network between a client and one or several gateways that breaks in the middle, and comes back. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * How connections are cut. `reset`: both ends are told. `blackhole`: neither is, nothing passes any more.
 * `client_told`, `gateway_told`: half open, as the other end goes on believing in the connection.
 */
export const CUTS = ['reset', 'blackhole', 'client_told', 'gateway_told'] as const;
export type Cut = (typeof CUTS)[number];

/** What becomes of new connections: they are led on, reset at once, or taken and left without an answer. */
type Mode = 'forward' | 'refuse' | 'swallow';

interface Pair {
  readonly client: Socket;
  readonly gateway: Socket | null;
  /** Whether it is, or is about to become, the WebSocket of a session. */
  isStream: boolean;
}

const STREAM_REQUEST = /^GET \/v1\/(sessions\/\w+\/)?stream[ ?]/;

export class CuttingProxy {
  /** How many connections were led to each of the targets. */
  readonly led: number[];
  #targets: readonly string[];
  #mode: Mode = 'forward';
  #next = 0;
  readonly #alive = new Set<Pair>();
  readonly #dead = new Set<Pair>();
  readonly #server = createServer((socket) => this.#accept(socket));
  #awaited: (() => void)[] = [];

  private constructor(targets: readonly string[]) {
    this.#targets = targets;
    this.led = targets.map(() => 0);
  }

  /** @param targets Addresses of gateways; each connection goes to the next of them. */
  static async start(targets: readonly string[]): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(targets);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Leads new connections elsewhere: a gateway that was restarted has another port. */
  retarget(targets: readonly string[]): void {
    this.#targets = targets;
  }

  /** Resolves once a session is streamed, or about to be, over a connection that works. */
  async streaming(): Promise<void> {
    while (![...this.#alive].some(({ isStream }) => isStream))
      await new Promise<void>((resolve) => this.#awaited.push(resolve));
  }

  /** Cuts all connections there are; new ones are treated as `meanwhile` says until {@link restore}. */
  cut(how: Cut, meanwhile: Mode): void {
    this.#mode = meanwhile;
    for (const pair of this.#alive) {
      this.#alive.delete(pair);
      this.#dead.add(pair);
      if (how === 'reset' || how === 'client_told') pair.client.resetAndDestroy();
      if (how === 'reset' || how === 'gateway_told') pair.gateway?.resetAndDestroy();
    }
  }

  /** Leads new connections on again. @param dead What becomes of those that were cut and may not know. */
  restore(dead: 'reset' | 'leave'): void {
    this.#mode = 'forward';
    if (dead === 'reset') this.#bury();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut('reset', 'refuse');
    this.#bury();
    await closed;
  }

  #bury(): void {
    for (const { client, gateway } of this.#dead) {
      client.resetAndDestroy();
      gateway?.resetAndDestroy();
    }
    this.#dead.clear();
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#mode === 'refuse') return void client.resetAndDestroy();
    if (this.#mode === 'swallow') {
      client.resume();
      this.#dead.add({ client, gateway: null, isStream: false });
      return;
    }
    const turn = this.#next++ % this.#targets.length;
    this.led[turn]!++;
    const { hostname, port } = new URL(this.#targets[turn]!);
    const gateway = connect({ host: hostname, port: Number(port) });
    const pair = { client, gateway, isStream: false };
    this.#alive.add(pair);
    gateway.on('error', () => {});
    client.once('data', (bytes) => {
      pair.isStream = STREAM_REQUEST.test(bytes.toString('latin1', 0, 200));
      for (const wake of this.#awaited.splice(0)) wake();
    });
    // A pair that was cut passes nothing on, the end of a connection included.
    const join = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => {
        if (this.#alive.has(pair) && !to.write(bytes)) from.pause();
      });
      to.on('drain', () => from.resume());
      from.on('close', () => {
        if (this.#alive.delete(pair)) to.destroy();
      });
    };
    join(client, gateway);
    join(gateway, client);
  }
}
