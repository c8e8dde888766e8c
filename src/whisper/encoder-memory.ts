/** What passes of the encoder over one growing utterance leave for the next pass. */
import { freeBuffers } from '../flow/free-buffers.ts';
import {
  type Effort,
  type EncoderWindow,
  encoderWindow,
  type Known,
  NOTHING_KNOWN,
  settledPositions,
} from './encoder-window.ts';
import { MelStream } from './mel.ts';
import type { WhisperConfig } from './weights/config.ts';

/** Rows by which the tensors grow. */
const GROWTH_ROWS = 64;
const BYTES_PER_NUMBER = 4;

/** Rows of the tensors of `memoryNames`, in that order: [rows, width] each. */
export interface PastStates {
  readonly rows: number;
  readonly tensors: readonly Float32Array[];
}

export class EncoderMemory {
  #mel: MelStream;
  readonly #config: WhisperConfig;
  readonly #total: number;
  /** Silent runs, ascending, then real positions: what is needed of both is one stretch. */
  #tensors: Float32Array[];
  #capacityRows = 0;
  #known: Known = NOTHING_KNOWN;

  /** @param tensorCount Of `memoryNames`. */
  constructor(config: WhisperConfig, tensorCount: number) {
    this.#config = config;
    this.#total = config.maxSourcePositions;
    this.#mel = new MelStream(config.mels);
    this.#tensors = Array.from({ length: tensorCount }, () => new Float32Array(0));
  }

  /** Forgets its utterance, and is ready for another in the memory it has. */
  reset(): void {
    this.#mel = new MelStream(this.#config.mels);
    this.#known = NOTHING_KNOWN;
  }

  /** Gives its memory back; of no use from then on. */
  free(): void {
    freeBuffers(this.#tensors);
  }

  get byteLength(): number {
    return this.#tensors.length * this.#capacityRows * this.#config.dModel * BYTES_PER_NUMBER;
  }

  /**
   * The features of the utterance, computed for what is new in it.
   * @param audio All of it so far; less than last time where its end was taken back.
   */
  features(audio: Float32Array): MelStream {
    const isLonger = audio.length >= this.#mel.sampleCount;
    const mel = isLonger ? this.#mel : new MelStream(this.#config.mels);
    mel.append(audio.subarray(mel.sampleCount));
    return mel;
  }

  /** Lays out the next pass, over `seconds` of the utterance. */
  window(seconds: number, effort: Effort): EncoderWindow {
    return encoderWindow(seconds, effort, this.#known, this.#total);
  }

  /** What a window takes from earlier passes: views, valid until the next {@link keep}. */
  past({ knownRuns, knownPositions }: EncoderWindow): PastStates {
    const width = this.#config.dModel;
    const runs = this.#known.runs.length;
    const [from, to] = [runs - knownRuns, runs + knownPositions];
    return {
      rows: to - from,
      tensors: this.#tensors.map((tensor) => tensor.subarray(from * width, to * width)),
    };
  }

  /**
   * Keeps what a quick pass encoded, as far as a longer utterance will not change it.
   * @param fresh The rows of the pass's positions, in the order of `past`'s tensors.
   */
  keep(window: EncoderWindow, fresh: readonly Float32Array[], seconds: number): void {
    const width = this.#config.dModel;
    const { knownPositions, freshPositions, freshRuns } = window;
    const isFirst = freshRuns.length > 0;
    const runs = isFirst ? freshRuns : this.#known.runs;
    const positions = Math.min(settledPositions(seconds, 'quick'), knownPositions + freshPositions);
    const settled = Math.max(0, positions - knownPositions);
    this.#reserve(runs.length + knownPositions + settled);
    this.#tensors.forEach((tensor, i) => {
      const rows = fresh[i]!;
      if (isFirst) tensor.set(rows.subarray(freshPositions * width), 0);
      tensor.set(rows.subarray(0, settled * width), (runs.length + knownPositions) * width);
    });
    this.#known = { positions: knownPositions + settled, runs };
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacityRows) return;
    this.#capacityRows = Math.ceil(rows / GROWTH_ROWS) * GROWTH_ROWS;
    const smaller = this.#tensors;
    this.#tensors = smaller.map((tensor) => {
      const larger = new Float32Array(this.#capacityRows * this.#config.dModel);
      larger.set(tensor);
      return larger;
    });
    freeBuffers(smaller);
  }
}

/**
 * Memories of several utterances at once. What one utterance needs no more is taken for the next, so that a thread holds
 * as much as there are utterances at a time; beyond that, those used longest ago go first, and are missed only as speed.
 */
export class EncoderMemories {
  readonly #make: () => EncoderMemory;
  readonly #maxBytes: number;
  /** The one used longest ago comes first. */
  readonly #memories = new Map<string, EncoderMemory>();
  readonly #released = new Set<string>();

  constructor(maxBytes: number, make: () => EncoderMemory) {
    this.#maxBytes = maxBytes;
    this.#make = make;
  }

  /** The memory of an utterance; an empty one where there is none. */
  of(utterance: string): EncoderMemory {
    const memory = this.#memories.get(utterance) ?? this.#recycled() ?? this.#make();
    this.#released.delete(utterance);
    this.#memories.delete(utterance);
    this.#memories.set(utterance, memory);
    this.#bound(utterance);
    return memory;
  }

  /** Tells that an utterance may be over: its memory is kept for it until another needs one. */
  release(utterance: string): void {
    if (this.#memories.has(utterance)) this.#released.add(utterance);
  }

  #recycled(): EncoderMemory | null {
    const [utterance] = this.#released;
    if (utterance === undefined) return null;
    const memory = this.#memories.get(utterance)!;
    this.#forget(utterance);
    memory.reset();
    return memory;
  }

  #bound(inUse: string): void {
    let bytes = 0;
    for (const memory of this.#memories.values()) bytes += memory.byteLength;
    for (const [utterance, memory] of this.#memories) {
      if (bytes <= this.#maxBytes || utterance === inUse) return;
      bytes -= memory.byteLength;
      this.#forget(utterance);
      memory.free();
    }
  }

  #forget(utterance: string): void {
    this.#memories.delete(utterance);
    this.#released.delete(utterance);
  }
}
