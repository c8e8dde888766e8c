/** A model's two graphs, loaded: mel features in, rows of logits out. Blocks its thread while it computes. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { freeBuffers } from '../flow/free-buffers.ts';
import type { PastStates } from './encoder-memory.ts';
import type { EncoderWindow } from './encoder-window.ts';
import {
  type CompiledGraphs,
  crossIo,
  decoderIo,
  encoderIo,
  memoryIo,
  memoryNames,
} from './graph/contract.ts';
import { integers, viewsOf } from './tensors.ts';
import type { WhisperConfig } from './weights/config.ts';
import { type WindowDecoder, windowDecoder } from './window-decoder.ts';

/** One thread a worker: several workers with one thread each do three times the work of one with several. */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

export interface EncoderRequest {
  /** Frames of the positions encoded and of those that lead to them, one row for each mel. */
  readonly mel: Float32Array;
  readonly window: EncoderWindow;
  /** What earlier passes left; null for nothing. */
  readonly past: PastStates | null;
  /** Whether the audio goes on: then what this pass leaves is wanted, and where its decoder listens. */
  readonly goesOn: boolean;
}

/** Encodes a window; the answer decodes it, as often as wanted. */
type Encoder = (request: EncoderRequest) => Promise<EncodedWindow>;

export interface EncodedWindow extends WindowDecoder {
  /** The rows of what was encoded, a tensor for each of `memoryNames`; empty where they were not asked for. */
  readonly fresh: readonly Float32Array[];
}

export interface GraphSessions {
  readonly encode: Encoder;
  release(): Promise<void>;
}

/** Loads compiled graphs on this thread. */
export async function openSessions(graphs: CompiledGraphs, config: WhisperConfig): Promise<GraphSessions> {
  const [encoder, decoder] = await Promise.all([
    InferenceSession.create(graphs.encoderPath, SESSION_OPTIONS),
    InferenceSession.create(graphs.decoderPath, SESSION_OPTIONS),
  ]);
  const names = memoryNames(config);
  const freshNames = names.map(memoryIo.fresh);
  const crossNames = Array.from({ length: config.decoderLayers }, (_, layer) => [
    crossIo.key(layer),
    crossIo.value(layer),
  ]).flat();
  const nothing: PastStates = { rows: 0, tensors: names.map(() => new Float32Array(0)) };

  return {
    encode: async ({ mel, window, past, goesOn }) => {
      const { positions, keyBias, lead } = window;
      const { rows, tensors } = past ?? nothing;
      const bias = new Tensor('float32', keyBias, [1, 1, 1, keyBias.length]);
      const inputs: Record<string, Tensor> = {
        [encoderIo.mel]: new Tensor('float32', mel, [1, config.mels, mel.length / config.mels]),
        [encoderIo.lead]: integers([lead], [1]),
        [encoderIo.positions]: new Tensor('int64', positions, [positions.length]),
        [encoderIo.keyBias]: bias,
      };
      names.forEach((name, i) => {
        inputs[memoryIo.past(name)] = new Tensor('float32', tensors[i]!, [1, rows, config.dModel]);
      });
      const outputs = await encoder.run(inputs, goesOn ? [...crossNames, ...freshNames] : crossNames);
      const fresh = goesOn ? freshNames.map((name) => outputs[name]!.data as Float32Array) : [];
      const cross = Object.fromEntries(crossNames.map((name) => [name, outputs[name]!]));
      const { free, ...decoded } = windowDecoder(
        decoder,
        config,
        { ...cross, [decoderIo.keyBias]: bias },
        goesOn ? window : null,
      );
      return {
        ...decoded,
        fresh,
        free: () => {
          free();
          freeBuffers([...viewsOf(cross), ...fresh]);
        },
      };
    },
    release: async () => {
      await Promise.all([encoder.release(), decoder.release()]);
    },
  };
}
