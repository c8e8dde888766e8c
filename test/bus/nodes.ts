/** Nodes that meet on a bus. */
import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import type { Bus, BusMessage } from '../../src/bus/bus.ts';

/** A node that remembers what it heard. */
export class Node {
  readonly heard: BusMessage[] = [];
  readonly bus: Bus;

  constructor(bus: Bus) {
    this.bus = bus;
    bus.onMessage((message) => this.heard.push(message));
  }

  /** Resolves when such a message was heard. */
  async hears(message: BusMessage): Promise<void> {
    await vi.waitFor(() => expect(this.heard).toContainEqual(message), { timeout: 30_000, interval: 20 });
  }
}

/**
 * Resolves when every node hears every other: connections are made, and made again, in their own time.
 * @param meanwhile Done with every try.
 */
export async function meet(nodes: readonly Node[], meanwhile = async () => {}): Promise<void> {
  const round = randomUUID();
  const hello = (node: Node): BusMessage => ({
    kind: 'take',
    sessionId: 'hello',
    requestId: `${round}-${nodes.indexOf(node)}`,
  });
  await vi.waitFor(
    async () => {
      for (const node of nodes) node.bus.send(hello(node));
      await meanwhile();
      for (const node of nodes)
        for (const other of nodes) if (other !== node) expect(node.heard).toContainEqual(hello(other));
    },
    { timeout: 30_000, interval: 100 },
  );
  for (const node of nodes) node.heard.length = 0;
}
