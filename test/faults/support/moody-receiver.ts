/** A receiver of webhooks that takes most of what it is sent, and remembers all of it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/flow/chance.ts';

/** Of those it is sent: what it refuses, and what it hangs up on after having read it. */
const [REFUSED, DROPPED] = [0.1, 0.1];
/** How long it may think, so that a gateway may die meanwhile. */
const MAX_THINK_MS = 500;

export class MoodyReceiver {
  /** All bodies that came, by `webhook-id`. */
  readonly bodies = new Map<string, string[]>();
  /** Ids of those that were answered 204. */
  readonly taken = new Set<string>();
  readonly #random: Random;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(random: Random) {
    this.#random = random;
  }

  /** Listens on a free port of this machine. */
  static async start(random: Random): Promise<MoodyReceiver> {
    const receiver = new MoodyReceiver(random);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** How often something came. */
  get count(): number {
    return [...this.bodies.values()].reduce((sum, bodies) => sum + bodies.length, 0);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = (await buffer(request)).toString();
      const id = String(request.headers['webhook-id']);
      this.bodies.set(id, [...(this.bodies.get(id) ?? []), body]);
      const mood = this.#random();
      await sleep(MAX_THINK_MS * this.#random());
      if (mood < DROPPED) return void response.destroy();
      if (mood < DROPPED + REFUSED) return void response.writeHead(500).end();
      response.writeHead(204).end();
      this.taken.add(id);
    } catch {
      // The gateway died over it: its body has not come.
      response.destroy();
    }
  }
}
