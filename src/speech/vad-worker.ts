/**
 * Runs Silero VAD v6. The network is recurrent, but the thread remembers nobody: what it needs of a stream's past
 * travels with each call and back, so a restarted thread loses nothing.
 */
import ort from 'onnxruntime-node';
import { serveThread, Transferred, threadData } from '../flow/thread.ts';
import { CONTEXT_SAMPLES, FRAME_SAMPLES } from './frame.ts';
import type { VadApi, VadThreadData } from './vad-protocol.ts';

const { modelPath } = threadData<VadThreadData>();
const session = ort.InferenceSession.create(modelPath, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
});
// Whoever calls is told; nobody is to be told twice.
session.catch(() => {});

const sampleRate = new ort.Tensor('int64', BigInt64Array.of(16_000n), []);
/** Below this, numbers turn denormal inside the network and a frame costs twenty times as much. */
const FLUSH_TO_ZERO = 1e-8;

function window(context: Float32Array, frame: Float32Array): Float32Array {
  const input = new Float32Array(CONTEXT_SAMPLES + FRAME_SAMPLES);
  input.set(context);
  input.set(frame, CONTEXT_SAMPLES);
  for (let i = 0; i < input.length; i++) if (Math.abs(input[i]!) < FLUSH_TO_ZERO) input[i] = 0;
  return input;
}

serveThread<VadApi>({
  async ready() {
    await session;
  },

  async probabilities(samples, memory) {
    const model = await session;
    const probabilities = new Float32Array(samples.length / FRAME_SAMPLES);
    let { state, context } = memory;
    for (let i = 0; i < probabilities.length; i++) {
      const frame = samples.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES);
      const result = await model.run({
        input: new ort.Tensor('float32', window(context, frame), [1, CONTEXT_SAMPLES + FRAME_SAMPLES]),
        state: new ort.Tensor('float32', state, [2, 1, 128]),
        sr: sampleRate,
      });
      probabilities[i] = (result.output!.data as Float32Array)[0]!;
      state = result.stateN!.data as Float32Array;
      context = frame.subarray(FRAME_SAMPLES - CONTEXT_SAMPLES);
    }
    return new Transferred({ probabilities, memory: { state: state.slice(), context: context.slice() } }, [
      probabilities.buffer as ArrayBuffer,
    ]);
  },
});
