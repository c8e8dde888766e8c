/** The decoder over one encoded window: passes that go on from one another, and passes over whole texts. */
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { freeBuffers } from '../flow/free-buffers.ts';
import { type Attention, mostHeeded } from './alignment.ts';
import type { DecoderPass } from './decoding.ts';
import type { EncoderWindow } from './encoder-window.ts';
import { decoderIo } from './graph/contract.ts';
import { integers, viewsOf } from './tensors.ts';
import type { WhisperConfig } from './weights/config.ts';

export interface WindowDecoder {
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

/**
 * @param window What stays the same for all passes over one window.
 * @param listening The window to tell positions in; null where nobody asks.
 */
export function windowDecoder(
  decoder: InferenceSession,
  config: WhisperConfig,
  window: InferenceSession.OnnxValueMapType,
  listening: EncoderWindow | null,
): WindowDecoder {
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
