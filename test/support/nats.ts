/** Whether a NATS server answers where tests expect one. */
import { connect } from 'node:net';

const NATS = { host: '127.0.0.1', port: 4222 };

/** Its address; null where none answers. */
export function findNats(): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(NATS);
    const end = (url: string | null) => {
      socket.destroy();
      resolve(url);
    };
    socket.setTimeout(2000, () => end(null));
    socket.on('error', () => end(null));
    // A NATS server speaks first (its INFO); others at this port would not.
    socket.once('data', (data) =>
      end(String(data).startsWith('INFO') ? `nats://${NATS.host}:${NATS.port}` : null),
    );
  });
}
