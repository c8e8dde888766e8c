/** A worker for the thread tests: built code is imported, as in production. */
import { Failure } from '../../dist/domain/failure.js';
import { serveThread, threadData } from '../../dist/flow/thread.js';

const hoard = [];

serveThread(
  {
    double: (n) => 2 * n,
    data: () => threadData(),
    fail: () => {
      throw new Failure('audio_undecodable', 'no audio');
    },
    hoard: () => {
      hoard.push(Array.from({ length: 500_000 }, (_, i) => ({ i })));
    },
    hoardBuffers: () => {
      hoard.push(new Uint8Array(10_000_000));
    },
    die: () => process.exit(3),
    count: async function (upTo) {
      for (let n = 1; n <= upTo; n++) this.progress(n);
      return 'counted';
    },
    untilStopped: function () {
      return new Promise((resolve) => this.signal.addEventListener('abort', () => resolve('stopped')));
    },
  },
  { maxHeldMb: 64 },
);
