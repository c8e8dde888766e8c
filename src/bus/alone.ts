import type { Bus } from './bus.ts';

/** The bus of a node that has no others: nobody to tell, and nobody to hear. */
export function alone(): Bus {
  return {
    counts: { waiting: 0, sent: 0, dropped: 0, received: 0, malformed: 0 },
    send() {},
    onMessage: () => () => {},
    close: () => Promise.resolve(),
  };
}
