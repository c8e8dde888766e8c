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
  6: () => {
    const hoard = [];
    while (true) hoard.push(new Array(10_000).fill(1.5));
  },
  4: () => {
    throw new Error('decoder bug');
  },
  5: (id) => parentPort.postMessage({ kind: 'error', id, message: 'unexpected token', code: null }),
};

parentPort.on('message', ({ id, args: [bytes] }) => WRONGS[bytes[0]](id));
