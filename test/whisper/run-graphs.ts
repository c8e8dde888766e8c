/** Runs compiled graphs as their contract says, and nothing more. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  type CompiledGraphs,
  crossIo,
  decoderIo,
  encoderIo,
  memoryIo,
  memoryNames,
} from '../../src/whisper/graph/contract.ts';
import type { TailLayout } from '../../src/whisper/graph/weighted-tail.ts';
import type { WhisperConfig } from '../../src/whisper/weights/config.ts';

type Tensors = Record<string, Tensor>;

interface Pass {
  readonly tokens: readonly number[];
  /** Position of the first token. */
  readonly start?: number;
  /** Rows whose logits are wanted; all, where not given. */
  readonly rows?: readonly number[];
  /** The `past` of the pass before. */
  readonly past?: Tensors;
}

export interface Answer {
  readonly logits: Float32Array[];
  /** [A, S, T] */
  readonly alignment: { readonly data: Float32Array; readonly dims: readonly number[] } | null;
  readonly past: Tensors;
}

/** A pass over some positions that may look at others. */
export interface EncoderPart {
  readonly lead: number;
  readonly positions: BigInt64Array;
  readonly keyBias: Float32Array;
  /** A tensor for each of `memoryNames`; none, where not given. */
  readonly past?: (name: string) => Tensor;
}

export interface RunningGraphs {
  /** Gives the window that `decode` listens to. */
  encode(mel: Float32Array, layout: TailLayout): Promise<Tensors>;
  /** Gives everything that a pass of the encoder does. */
  encodePart(mel: Float32Array, part: EncoderPart): Promise<Tensors>;
  decode(window: Tensors, pass: Pass): Promise<Answer>;
  close(): Promise<void>;
}

const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1 } as const;

export async function runGraphs(paths: CompiledGraphs, config: WhisperConfig): Promise<RunningGraphs> {
  const encoder = await InferenceSession.create(paths.encoderPath, OPTIONS);
  const decoder = await InferenceSession.create(paths.decoderPath, OPTIONS);
  const layers = Array.from({ length: config.decoderLayers }, (_, layer) => layer);
  const width = config.dModel / config.decoderHeads;
  const nothing = new Tensor('float32', new Float32Array(0), [1, config.decoderHeads, 0, width]);
  const emptyPast: Tensors = Object.fromEntries(
    layers.flatMap((layer) => [
      [decoderIo.pastKey(layer), nothing],
      [decoderIo.pastValue(layer), nothing],
    ]),
  );

  const nothingKnown = new Tensor('float32', new Float32Array(0), [1, 0, config.dModel]);
  const encodePart: RunningGraphs['encodePart'] = async (mel, { lead, positions, keyBias, past }) => {
    const inputs: Tensors = {
      [encoderIo.mel]: new Tensor('float32', mel, [1, config.mels, mel.length / config.mels]),
      [encoderIo.lead]: integers([lead], [1]),
      [encoderIo.positions]: new Tensor('int64', positions, [positions.length]),
      [encoderIo.keyBias]: new Tensor('float32', keyBias, [1, 1, 1, keyBias.length]),
    };
    for (const name of memoryNames(config)) inputs[memoryIo.past(name)] = past?.(name) ?? nothingKnown;
    return (await encoder.run(inputs)) as Tensors;
  };

  return {
    encodePart,
    encode: async (mel, { positions, keyBias }) => {
      const outputs = await encodePart(mel, { lead: 0, positions, keyBias });
      const cross = layers.flatMap((layer) => [crossIo.key(layer), crossIo.value(layer)]);
      const window: Tensors = {
        [decoderIo.keyBias]: new Tensor('float32', keyBias, [1, 1, 1, keyBias.length]),
      };
      for (const name of cross) window[name] = outputs[name]!;
      return window;
    },
    decode: async (window, { tokens, start = 0, rows = [...tokens.keys()], past = emptyPast }) => {
      const outputs = await decoder.run({
        ...window,
        ...past,
        [decoderIo.tokens]: integers(tokens, [1, tokens.length]),
        [decoderIo.positions]: integers(
          tokens.map((_, i) => start + i),
          [tokens.length],
        ),
        [decoderIo.rows]: integers(rows, [rows.length]),
      });
      const next: Tensors = {};
      for (const layer of layers) {
        next[decoderIo.pastKey(layer)] = outputs[decoderIo.key(layer)]!;
        next[decoderIo.pastValue(layer)] = outputs[decoderIo.value(layer)]!;
      }
      const flat = outputs[decoderIo.logits]!.data as Float32Array;
      const V = config.vocabSize;
      const alignment = outputs[decoderIo.alignment];
      return {
        logits: rows.map((_, i) => flat.slice(i * V, (i + 1) * V)),
        alignment: alignment ? { data: alignment.data as Float32Array, dims: alignment.dims.slice(1) } : null,
        past: next,
      };
    },
    close: async () => {
      await Promise.all([encoder.release(), decoder.release()]);
    },
  };
}

const integers = (values: readonly number[], shape: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), shape);

/** Largest difference between two rows of numbers of one length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} numbers against ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // NaN is a difference, too.
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Where the largest number is. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
