/** Hands what other nodes say to those who wait for it. */
import type { BusCounts, BusMessage } from './bus.ts';
import { unseal } from './envelope.ts';

export class Inbox {
  readonly #nodeId: string;
  readonly #onError: (error: unknown) => void;
  readonly #receivers = new Set<(message: BusMessage) => void>();
  #received = 0;
  #malformed = 0;

  /** @param onError Told what a receiver throws: a bug of its own, not the transport's. */
  constructor(nodeId: string, onError: (error: unknown) => void) {
    this.#nodeId = nodeId;
    this.#onError = onError;
  }

  get counts(): Pick<BusCounts, 'received' | 'malformed'> {
    return { received: this.#received, malformed: this.#malformed };
  }

  onMessage(receive: (message: BusMessage) => void): () => void {
    // One function may be given twice, and be stopped once.
    const receiver = (message: BusMessage) => receive(message);
    this.#receivers.add(receiver);
    return () => this.#receivers.delete(receiver);
  }

  /** Takes a text off the wire, whoever wrote it. Never throws: the transport would lose its footing. */
  take(text: string): void {
    const envelope = unseal(text);
    if (envelope === null) {
      this.#malformed++;
      return;
    }
    if (envelope.from === this.#nodeId) return;
    this.#received++;
    for (const receive of [...this.#receivers]) {
      try {
        receive(envelope.message);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
