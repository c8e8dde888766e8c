/** Where somebody speaks, frame by frame: Silero VAD v6 (https://github.com/snakers4/silero-vad). */
import { Thread, ThreadDied, threadEntry } from '../flow/thread.ts';
import { CONTEXT_SAMPLES, FRAME_SAMPLES } from './frame.ts';
import { STATE_SIZE, type VadApi, type VadMemory, type VadThreadData } from './vad-protocol.ts';

/** One stream of audio, from its first sample on. Calls must follow one another, never overlap. */
export interface VadStream {
  /**
   * The probability of speech, 0–1, in each frame of the stream's next samples.
   * @param samples 16 kHz mono, −1…1; a multiple of {@link FRAME_SAMPLES} long.
   * @throws ThreadDied where the thread died twice over the same samples.
   */
  probabilities(samples: Float32Array): Promise<Float32Array>;
}

/** Serves any number of streams from one worker thread. */
export interface VoiceActivityDetector {
  stream(): VadStream;
  close(): Promise<void>;
}

/**
 * @param modelPath The model's `.onnx` file.
 * @throws Error where the file is missing or is no such model.
 */
export async function openVad(modelPath: string): Promise<VoiceActivityDetector> {
  const data: VadThreadData = { modelPath };
  const thread = new Thread<VadApi>(threadEntry(import.meta.url, './vad-worker.js'), {
    name: 'voice activity',
    data,
  });
  try {
    await thread.call('ready', []);
  } catch (error) {
    await thread.close();
    throw error;
  }
  return {
    stream: () => new SileroStream(thread),
    close: () => thread.close(),
  };
}

/** A stream heard by a thread that serves many; exported for who wants to share the thread. */
export class SileroStream implements VadStream {
  readonly #thread: Thread<VadApi>;
  #memory: VadMemory = { state: new Float32Array(STATE_SIZE), context: new Float32Array(CONTEXT_SAMPLES) };

  constructor(thread: Thread<VadApi>) {
    this.#thread = thread;
  }

  async probabilities(samples: Float32Array): Promise<Float32Array> {
    if (samples.length % FRAME_SAMPLES !== 0)
      throw new RangeError(`${samples.length} samples are no whole number of frames`);
    // Posting a view would copy all of the buffer behind it.
    const frames = samples.slice();
    const ask = () => this.#thread.call('probabilities', [frames, this.#memory]);
    const { probabilities, memory } = await ask().catch((error: unknown) => {
      if (error instanceof ThreadDied) return ask();
      throw error;
    });
    this.#memory = memory;
    return probabilities;
  }
}
