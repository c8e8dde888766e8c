/** A model's two graphs, loaded: mel features in, rows of logits out. Blocks its thread while it computes. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { freeBuffers } from '../flow/free-buffers.ts';
import { type Attention, mostHeeded } from './alignment.ts';
import type { DecoderPass } from './decoding.ts';
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
import type { WhisperConfig } from './weights/config.ts';

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

export interface EncodedWindow {
  /** The rows of what was encoded, a tensor for each of `memoryNames`; empty where they were not asked for. */
  readonly fresh: readonly Float32Array[];
  /** Its rows are there until the next pass. */
  readonly pass: DecoderPass;
  /**
   * The position whose sound the decoder heeded most when it chose what follows a token of the last pass; null where
   * the audio does not go on, or the model names no heads to tell by.
   */
  readonly listenedAt: ((row: number) => number) | null;
  /** Runs the decoder over a whole text and its start tokens, apart from what `pass` keeps. */
  readonly attend: AttentionPass;
  /** Gives its memory back, that of all it has given included. It is of no more use. */
  free(): void;
}

/**
 * @param rows Which of the tokens' logits are wanted, one or more.
 * @returns Those, and where the alignment heads looked; null where the model names none.
 */
export type AttentionPass = (
  tokens: readonly number[],
  rows: readonly number[],
) => Promise<{ logits: readonly Float32Array[]; attention: Attention | null }>;

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
      const { free, ...decoded } = decoderOf(
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

/**
 * @param window What stays the same for all passes over one window.
 * @param listening The window to tell positions in; null where nobody asks.
 */
function decoderOf(
  decoder: InferenceSession,
  config: WhisperConfig,
  window: InferenceSession.OnnxValueMapType,
  listening: EncoderWindow | null,
): Omit<EncodedWindow, 'fresh'> {
  type Past = Readonly<Record<string, Tensor>>;
  const run = (
    past: Past,
    tokens: readonly number[],
    position: number,
    rows: readonly number[],
    outputs: readonly string[],
  ): Promise<InferenceSession.OnnxValueMapType> => {
    const positions = tokens.map((_, i) => position + i);
    const inputs = {
      ...window,
      ...past,
      [decoderIo.tokens]: integers(tokens, [1, tokens.length]),
      [decoderIo.positions]: integers(positions, [tokens.length]),
      [decoderIo.rows]: integers(rows, [rows.length]),
    };
    return decoder.run(inputs, outputs);
  };
  const logitsOf = (outputs: InferenceSession.OnnxValueMapType, rows: readonly number[]): Float32Array[] => {
    const logits = outputs[decoderIo.logits]!.data as Float32Array;
    return rows.map((_, i) => logits.subarray(i * config.vocabSize, (i + 1) * config.vocabSize));
  };

  const canListen = listening !== null && decoder.outputNames.includes(decoderIo.alignment);
  // Attention weights are copied where somebody looks at them.
  const decoded = canListen
    ? decoder.outputNames
    : decoder.outputNames.filter((name) => name !== decoderIo.alignment);
  const attended = decoder.outputNames.filter(
    (name) => name === decoderIo.alignment || name === decoderIo.logits,
  );
  const nothing = emptyPast(config);
  let past = nothing;
  let heeded: Attention | null = null;
  /** What the last pass gave, and all that was attended to. */
  let [last, others]: [Float32Array[], Float32Array[]] = [[], []];
  return {
    pass: async (tokens, position, rows) => {
      const outputs = await run(past, tokens, position, rows, decoded);
      freeBuffers(last);
      last = viewsOf(outputs);
      heeded = attentionIn(outputs);
      past = {};
      for (let layer = 0; layer < config.decoderLayers; layer++) {
        past[decoderIo.pastKey(layer)] = outputs[decoderIo.key(layer)]!;
        past[decoderIo.pastValue(layer)] = outputs[decoderIo.value(layer)]!;
      }
      return logitsOf(outputs, rows);
    },
    listenedAt: canListen
      ? (row) => {
          const { knownRuns, knownPositions, freshPositions } = listening;
          return mostHeeded(heeded!, row, knownRuns, knownPositions + freshPositions);
        }
      : null,
    attend: async (tokens, rows) => {
      const outputs = await run(nothing, tokens, 0, rows, attended);
      others.push(...viewsOf(outputs));
      return { logits: logitsOf(outputs, rows), attention: attentionIn(outputs) };
    },
    free: () => {
      freeBuffers([...last, ...others]);
      [last, others] = [[], []];
    },
  };
}

const viewsOf = (tensors: InferenceSession.OnnxValueMapType): Float32Array[] =>
  Object.values(tensors).map(({ data }) => data as Float32Array);

function attentionIn(outputs: InferenceSession.OnnxValueMapType): Attention | null {
  const weights = outputs[decoderIo.alignment];
  if (!weights) return null;
  const [, heads, rows, positions] = weights.dims as [number, number, number, number];
  return { weights: weights.data as Float32Array, heads, rows, positions };
}

function emptyPast({ dModel, decoderHeads, decoderLayers }: WhisperConfig): Record<string, Tensor> {
  const empty = new Tensor('float32', new Float32Array(0), [1, decoderHeads, 0, dModel / decoderHeads]);
  const past: Record<string, Tensor> = {};
  for (let layer = 0; layer < decoderLayers; layer++) {
    past[decoderIo.pastKey(layer)] = empty;
    past[decoderIo.pastValue(layer)] = empty;
  }
  return past;
}

const integers = (values: readonly number[], shape: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), shape);
