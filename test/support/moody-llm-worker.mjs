/** A language model's thread that does what the transcript says: `crash`, `wedge`, `throw`, or answer. */
import { serveThread } from '../../dist/flow/thread.js';

serveThread({
  load() {
    throw new Error('no such model');
  },
  async generate({ transcript }) {
    if (transcript === 'crash') process.exit(1);
    if (transcript === 'wedge') await new Promise(() => {});
    if (transcript === 'throw') throw new Error('out of tensors');
    this.progress(transcript);
    return { finishReason: 'stop', usage: { promptTokens: 1, completionTokens: 1 }, droppedChars: 0 };
  },
});
