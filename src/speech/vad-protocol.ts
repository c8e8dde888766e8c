/** What the voice activity thread understands. */
/** What the network carries from frame to frame: 2 × 1 × 128 numbers. */
export const STATE_SIZE = 256;

/** A stream's past: the network's state and the last samples before the next frame. */
export interface VadMemory {
  readonly state: Float32Array;
  readonly context: Float32Array;
}

export type VadApi = {
  /** Loads the model where that has not happened yet; fails where it cannot. */
  ready(): void;
  /** One probability for each frame in `samples`, whose length is a multiple of {@link FRAME_SAMPLES}. */
  probabilities(samples: Float32Array, memory: VadMemory): { probabilities: Float32Array; memory: VadMemory };
};

export interface VadThreadData {
  readonly modelPath: string;
}
