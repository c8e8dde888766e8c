/**
 * What goes into and comes out of the two graphs: the one thing that their compiler and their callers share.
 * All tensors have a batch of one. P: encoder positions of 20 ms that an earlier pass encoded; Q: those of this pass
 * (see `weighted-tail.ts`); T = P + Q; E: the encoder's width; S: tokens of this pass; N: tokens of the past that are
 * used; R: rows of logits asked for; H, D: the decoder's heads and their width; A: alignment heads; V: vocabulary.
 *
 * **Encoder**
 *
 * | input       | type    | shape               |                                                              |
 * |-------------|---------|---------------------|--------------------------------------------------------------|
 * | `mel`       | float32 | [1, mels, 2(L + Q)] | log-mel frames of 10 ms, clamped and normalised              |
 * | `lead`      | int64   | [1]                 | L: positions to drop after the convolutions, whose context they are |
 * | `positions` | int64   | [Q]                 | which position embedding each position gets                  |
 * | `key_bias`  | float32 | [1, 1, 1, T]        | added to attention scores; 0 for a position that is only itself |
 * | `past_key_{l}`, `past_value_{l}` | float32 | [1, P, E] | for each encoder layer l: `fresh_*` of earlier passes |
 * | `past_cross_key_{l}`, `past_cross_value_{l}` | float32 | [1, P, E] | for each decoder layer l, likewise |
 *
 * | output      | type    | shape               |                                                              |
 * |-------------|---------|---------------------|--------------------------------------------------------------|
 * | `cross_key_{l}`, `cross_value_{l}` | float32 | | for each decoder layer: hand them on as they are; their layout is the graphs' own affair |
 * | `fresh_key_{l}`, `fresh_value_{l}` | float32 | [1, Q, E] | of each encoder layer, for later passes |
 * | `fresh_cross_key_{l}`, `fresh_cross_value_{l}` | float32 | [1, Q, E] | of each decoder layer, likewise |
 *
 * Positions of the past come first, in any order: only embedding and bias tell them apart. Without a past P is 0.
 *
 * **Decoder**
 *
 * | input                              | type    | shape        |                                           |
 * |------------------------------------|---------|--------------|-------------------------------------------|
 * | `tokens`                           | int64   | [1, S]       |                                           |
 * | `positions`                        | int64   | [S]          | N, N + 1, … N + S − 1                     |
 * | `rows`                             | int64   | [R]          | rows of this pass whose logits are wanted |
 * | `key_bias`                         | float32 | [1, 1, 1, T] | as given to the encoder                   |
 * | `cross_key_{l}`, `cross_value_{l}` | float32 |              | from the encoder                          |
 * | `past_key_{l}`, `past_value_{l}`   | float32 | [1, H, ≥ N, D] | `key_{l}`, `value_{l}` of the pass before |
 *
 * | output                 | type    | shape            |                                                   |
 * |------------------------|---------|------------------|---------------------------------------------------|
 * | `logits`               | float32 | [1, R, V]        | in the order of `rows`                            |
 * | `key_{l}`, `value_{l}` | float32 | [1, H, N + S, D] | the past of the next pass                         |
 * | `alignment`            | float32 | [1, A, S, T]     | attention of the alignment heads, rows sum to one |
 *
 * The causal mask is made in the graph from `positions`. **The past is cut in the graph** to `positions[0]`
 * tokens: where a draft was wrong from token n on, run again from position n with the longer past as it is.
 * The first pass of a window gets an empty past: shape [1, H, 0, D].
 * `alignment` is there only where the configuration names alignment heads, in that order.
 */

/**
 * `int8`: signed per-channel 8-bit weights, activations quantised as they come. `int7`: the same with weights
 * in −63…63, for CPUs whose 8-bit kernels saturate (x86 with AVX2 but without VNNI). `fp32`: the reference.
 */
export type GraphKind = 'fp32' | 'int8' | 'int7';

/** Where the compiled graphs of a model are. */
export interface CompiledGraphs {
  readonly encoderPath: string;
  readonly decoderPath: string;
}

export const encoderIo = {
  mel: 'mel',
  lead: 'lead',
  positions: 'positions',
  keyBias: 'key_bias',
} as const;

/** What an encoder's layers keep of a position for later passes: {@link memoryNames} lists these for a model. */
export const memoryIo = {
  key: (layer: number) => `key_${layer}`,
  value: (layer: number) => `value_${layer}`,
  crossKey: (layer: number) => `cross_key_${layer}`,
  crossValue: (layer: number) => `cross_value_${layer}`,
  /** The input of an earlier pass's tensor. */
  past: (name: string) => `past_${name}`,
  /** The output of this pass's tensor. */
  fresh: (name: string) => `fresh_${name}`,
} as const;

/** Names of all tensors that a position leaves behind, each [positions, E]. */
export function memoryNames(config: { encoderLayers: number; decoderLayers: number }): string[] {
  const layers = (count: number) => Array.from({ length: count }, (_, layer) => layer);
  return [
    ...layers(config.encoderLayers).flatMap((layer) => [memoryIo.key(layer), memoryIo.value(layer)]),
    ...layers(config.decoderLayers).flatMap((layer) => [
      memoryIo.crossKey(layer),
      memoryIo.crossValue(layer),
    ]),
  ];
}

export const decoderIo = {
  tokens: 'tokens',
  positions: 'positions',
  rows: 'rows',
  keyBias: 'key_bias',
  logits: 'logits',
  alignment: 'alignment',
  pastKey: (layer: number) => `past_key_${layer}`,
  pastValue: (layer: number) => `past_value_${layer}`,
  key: (layer: number) => `key_${layer}`,
  value: (layer: number) => `value_${layer}`,
} as const;

/** Outputs of the encoder and inputs of the decoder, under the same names. */
export const crossIo = {
  key: (layer: number) => `cross_key_${layer}`,
  value: (layer: number) => `cross_value_${layer}`,
} as const;
