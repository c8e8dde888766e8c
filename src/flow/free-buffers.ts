/**
 * Gives the memory of buffers back now. Left to the collection of garbage, megabytes that come and go many times a
 * second make V8 collect for their sake alone, walking a heap that has nothing to do with them.
 */
import { MessageChannel } from 'node:worker_threads';

/**
 * What is posted to a port that is closed still changes hands, and nobody is at the other end (HTML Standard, "message
 * port post message steps"). Node 20 has no `ArrayBuffer.prototype.transfer`, which would do as well.
 */
const { port1: nobody } = new MessageChannel();
nobody.close();

/** Empties the buffers of some views, which are of length 0 from then on; no buffer may be named twice. */
export function freeBuffers(views: readonly ArrayBufferView[]): void {
  const buffers = views.map(({ buffer }) => buffer as ArrayBuffer).filter(({ byteLength }) => byteLength > 0);
  nobody.postMessage(null, buffers);
}
