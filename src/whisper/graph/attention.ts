import { CONTRIB, type OnnxGraph, type Value } from './onnx-graph.ts';

/** How a residual stream of `heads · width` numbers is divided among heads. */
export interface Heads {
  readonly count: number;
  readonly width: number;
}

const BY_HEAD = [0, 2, 1, 3];
const BY_HEAD_TRANSPOSED = [0, 2, 3, 1];

function split(graph: OnnxGraph, input: Value, { count, width }: Heads, perm: readonly number[]): Value {
  const apart = graph.op('Reshape', [input, graph.integers([0, -1, count, width])]);
  return graph.op('Transpose', [apart], { perm });
}

/** [1, n, H·D] → [1, H, n, D]. */
export const byHead = (graph: OnnxGraph, input: Value, heads: Heads): Value =>
  split(graph, input, heads, BY_HEAD);

/** [1, n, H·D] → [1, H, D, n]: keys as they are multiplied with. */
export const byHeadTransposed = (graph: OnnxGraph, input: Value, heads: Heads): Value =>
  split(graph, input, heads, BY_HEAD_TRANSPOSED);

/** Projections of one input, [1, n, H·D] each. */
export interface Projections {
  readonly queries: Value;
  readonly keys: Value;
  readonly values: Value;
}

/**
 * Every query looks at every key; `bias` [1, 1, n, m] is added to the scores of n queries over m keys. Gives
 * [1, n, H·D].
 */
export function fullAttention(
  graph: OnnxGraph,
  { queries, keys, values }: Projections,
  { count }: Heads,
  bias: Value,
): Value {
  const inputs = [queries, keys, values, '', '', bias];
  return graph.op('MultiHeadAttention', inputs, { num_heads: count }, CONTRIB);
}

/** Keys and values, [1, H, n, D] each. */
export interface KeysValues {
  readonly keys: Value;
  readonly values: Value;
}

/** Every token looks at the past and at the tokens up to itself. Gives the past that the next pass needs, too. */
export function causalAttention(
  graph: OnnxGraph,
  { queries, keys, values }: Projections,
  { count }: Heads,
  past: KeysValues,
): { output: Value; present: KeysValues } {
  const inputs = [queries, keys, values, '', '', '', past.keys, past.values];
  const attributes = { num_heads: count, unidirectional: 1 };
  const [output, nextKeys, nextValues] = graph.ops('MultiHeadAttention', 3, inputs, attributes, CONTRIB) as [
    Value,
    Value,
    Value,
  ];
  return { output, present: { keys: nextKeys, values: nextValues } };
}

/**
 * Tokens look at the audio. Written out rather than fused, because the weights [1, H, S, T] are wanted.
 *
 * @param queries [1, S, H·D]
 * @param keys [1, H, D, T]
 * @param values [1, H, T, D]
 * @param bias [1, 1, 1, T], added to the scores.
 */
export function crossAttention(
  graph: OnnxGraph,
  { queries, keys, values }: Projections,
  heads: Heads,
  bias: Value,
): { output: Value; weights: Value } {
  const scaled = graph.op('Mul', [byHead(graph, queries, heads), graph.scalar(heads.width ** -0.5)]);
  const scores = graph.op('Add', [graph.op('MatMul', [scaled, keys]), bias]);
  const weights = graph.op('Softmax', [scores], { axis: -1 });
  const mixed = graph.op('Transpose', [graph.op('MatMul', [weights, values])], { perm: BY_HEAD });
  const shape = graph.integers([0, -1, heads.count * heads.width]);
  return { output: graph.op('Reshape', [mixed, shape]), weights };
}
