/** A decoder thread that goes wrong in a way of one's choosing: the first byte says which. */
import { parentPort } from 'node:worker_threads';

const WRONGS = {
  /** Does right. */
  0: (id) =>
    parentPort.postMessage({ kind: 'result', id, value: { audio: new Float32Array(10), more: false } }),
  1: () => {
    while (true);
  },
  2: () => process.exit(7),
  3: () => {
    const hoard = [];
    while (true) hoard.push(new Array(1_000).fill({}).map(() => ({})));
  },
};

parentPort.on('message', ({ id, args: [bytes] }) => WRONGS[bytes[0]](id));
