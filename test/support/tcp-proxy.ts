/** A TCP proxy that can be made to fail in the ways networks fail. */
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * `forward`: as if it were not there. `refuse`: connections are cut and new ones refused. `hang_up`: new ones
 * are taken and closed at once, as by a proxy whose upstream is away. `silent`: nothing is passed on any more,
 * and nobody is told.
 */
export type ProxyMode = 'forward' | 'refuse' | 'hang_up' | 'silent';

export class TcpProxy {
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #mode: ProxyMode = 'forward';
  #port = 0;

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  /** Changes the mode; connections made under another are cut, but for `silent`, where they fall silent. */
  async set(mode: ProxyMode): Promise<void> {
    this.#mode = mode;
    for (const socket of this.#sockets) {
      if (mode === 'silent') socket.removeAllListeners('data').resume();
      else socket.destroy();
    }
    if (mode === 'refuse') await this.close();
    else if (!this.#server) await this.#listen();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async #listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as { port: number }).port;
  }

  #accept(client: Socket): void {
    this.#keep(client);
    if (this.#mode === 'hang_up') client.end();
    if (this.#mode !== 'forward') return;
    const upstream = this.#keep(connect(this.#target));
    client.on('data', (bytes) => upstream.write(bytes)).on('close', () => upstream.destroy());
    upstream.on('data', (bytes) => client.write(bytes)).on('close', () => client.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
  }
}
