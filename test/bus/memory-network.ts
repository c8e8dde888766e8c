/** A network in memory, for nodes that share a clock: it loses and doubles what it is told to. */
import type { Bus, BusMessage } from '../../src/bus/bus.ts';
import { seal, unseal } from '../../src/bus/envelope.ts';

export class MemoryNetwork {
  readonly #receivers = new Map<string, Set<(message: BusMessage) => void>>();
  /** How many copies of a message arrive: 0 where it is lost, 2 where it is doubled. Asked for each receiver. */
  copies: (message: BusMessage) => number = () => 1;
  /** All that was sent, by whom. */
  readonly sent: { readonly from: string; readonly message: BusMessage }[] = [];

  open(nodeId: string): Bus {
    const receivers = new Set<(message: BusMessage) => void>();
    this.#receivers.set(nodeId, receivers);
    return {
      counts: { waiting: 0, sent: 0, dropped: 0, received: 0, malformed: 0 },
      send: (message) => this.#send(nodeId, message),
      onMessage(receive) {
        receivers.add(receive);
        return () => receivers.delete(receive);
      },
      close: () => Promise.resolve(),
    };
  }

  #send(from: string, message: BusMessage): void {
    this.sent.push({ from, message });
    for (const [nodeId, receivers] of this.#receivers) {
      if (nodeId === from) continue;
      for (let copy = this.copies(message); copy > 0; copy--)
        queueMicrotask(() => {
          const { message: arrived } = unseal(seal({ from, message }, 8_000)!)!;
          for (const receive of receivers) receive(arrived);
        });
    }
  }
}
