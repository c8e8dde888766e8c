/** Whether a NATS server answers where tests expect one. */
import { connect } from 'node:net';

export const NATS = { host: '127.0.0.1', port: 4222 };

export interface FoundNats {
  readonly url: string;
  /** The largest message it takes. */
  readonly maxPayloadBytes: number;
}

/** Null where none answers. */
export function findNats(): Promise<FoundNats | null> {
  return new Promise((resolve) => {
    const socket = connect(NATS);
    const end = (found: FoundNats | null) => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(2000, () => end(null));
    socket.on('error', () => end(null));
    // A NATS server speaks first (its INFO); others at this port would not.
    socket.once('data', (data) => {
      const [, maxPayload] = /^INFO .*"max_payload":(\d+)/.exec(String(data)) ?? [];
      if (maxPayload === undefined) return end(null);
      end({ url: `nats://${NATS.host}:${NATS.port}`, maxPayloadBytes: Number(maxPayload) });
    });
  });
}
