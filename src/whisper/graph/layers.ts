import type { Checkpoint } from '../weights/checkpoint.ts';
import type { QuantisedRows } from '../weights/quantise.ts';
import { TOKEN_EMBEDDING, UNTIED_HEAD } from '../weights/tensor-names.ts';
import type { Projections } from './attention.ts';
import type { GraphKind } from './contract.ts';
import { CONTRIB, type OnnxGraph, type Value } from './onnx-graph.ts';
import { transpose } from './transpose.ts';

const LAYER_NORM_EPSILON = 1e-5;
const FLOAT = 1;

/** Largest magnitude of a weight; null where weights stay real numbers. */
const LIMITS = { fp32: null, int8: 127, int7: 63 } as const satisfies Record<GraphKind, number | null>;

interface QuantisedValue {
  readonly integers: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

/**
 * A model's layers as nodes of a graph, at a given precision. Where weights are integers, activations are
 * quantised as they come (one scale a tensor, unsigned, as onnxruntime's kernels want them) and products are
 * summed up in 32 bits. Signed weights matter: unsigned ones miss the fast kernels.
 */
export class Layers {
  readonly #graph: OnnxGraph;
  readonly #checkpoint: Checkpoint;
  readonly #limit: number | null;
  readonly #quantised = new Map<Value, QuantisedValue>();
  #lastRows: { tensor: string; rows: Promise<QuantisedRows> } | null = null;

  constructor(graph: OnnxGraph, checkpoint: Checkpoint, kind: GraphKind) {
    this.#graph = graph;
    this.#checkpoint = checkpoint;
    this.#limit = LIMITS[kind];
  }

  /** A tensor as it is, in single precision. */
  floats(tensor: string): Value {
    return this.#graph.weight('f32', this.#checkpoint.shape(tensor), () => this.#checkpoint.floats(tensor));
  }

  norm(input: Value, name: string): Value {
    const [scale, bias] = [this.floats(`${name}.weight`), this.floats(`${name}.bias`)];
    return this.#graph.op('LayerNormalization', [input, scale, bias], {
      axis: -1,
      epsilon: { float: LAYER_NORM_EPSILON },
    });
  }

  gelu(input: Value): Value {
    return this.#graph.op('Gelu', [input], {}, CONTRIB);
  }

  add(a: Value, b: Value): Value {
    return this.#graph.op('Add', [a, b]);
  }

  /** input [1, n, inputs] → [1, n, outputs]. Whisper's key projections have no bias. */
  linear(input: Value, name: string, { bias = true } = {}): Value {
    return this.#multiply(input, `${name}.weight`, bias ? this.floats(`${name}.bias`) : null);
  }

  /** Queries, keys and values of an attention over `input`. */
  projections(input: Value, name: string): Projections {
    return {
      queries: this.linear(input, `${name}.q_proj`),
      keys: this.linear(input, `${name}.k_proj`, { bias: false }),
      values: this.linear(input, `${name}.v_proj`),
    };
  }

  /** Two linear layers with a bend between them, added to their input. */
  feedForward(input: Value, name: string): Value {
    const inner = this.gelu(this.linear(this.norm(input, `${name}.final_layer_norm`), `${name}.fc1`));
    return this.add(input, this.linear(inner, `${name}.fc2`));
  }

  /** tokens [1, S] → [1, S, d]. */
  tokenEmbedding(tokens: Value): Value {
    const graph = this.#graph;
    const limit = this.#limit;
    if (limit === null) return graph.op('Gather', [this.floats(TOKEN_EMBEDDING), tokens], { axis: 0 });
    const [rows, columns] = this.#matrix(TOKEN_EMBEDDING);
    const table = graph.weight(
      'i8',
      [rows, columns],
      async () => (await this.#rows(TOKEN_EMBEDDING, limit)).values,
    );
    const scales = graph.weight(
      'f32',
      [rows, 1],
      async () => (await this.#rows(TOKEN_EMBEDDING, limit)).scales,
    );
    const integers = graph.op('Cast', [graph.op('Gather', [table, tokens], { axis: 0 })], { to: FLOAT });
    return graph.op('Mul', [integers, graph.op('Gather', [scales, tokens], { axis: 0 })]);
  }

  /** input [1, n, d] → logits [1, n, V]. */
  head(input: Value): Value {
    const tensor = this.#checkpoint.has(UNTIED_HEAD) ? UNTIED_HEAD : TOKEN_EMBEDDING;
    return this.#multiply(input, tensor, null);
  }

  #multiply(input: Value, tensor: string, bias: Value | null): Value {
    const limit = this.#limit;
    return limit === null
      ? this.#multiplyReal(input, tensor, bias)
      : this.#multiplyIntegers(input, tensor, bias, limit);
  }

  #multiplyReal(input: Value, tensor: string, bias: Value | null): Value {
    const [outputs, inputs] = this.#matrix(tensor);
    const weight = this.#graph.weight('f32', [inputs, outputs], async () =>
      transpose(await this.#checkpoint.floats(tensor), inputs),
    );
    const product = this.#graph.op('MatMul', [input, weight]);
    return bias === null ? product : this.add(product, bias);
  }

  #multiplyIntegers(input: Value, tensor: string, bias: Value | null, limit: number): Value {
    const graph = this.#graph;
    const [outputs, inputs] = this.#matrix(tensor);
    const weight = graph.weight('i8', [inputs, outputs], async () =>
      transpose((await this.#rows(tensor, limit)).values, inputs),
    );
    const scales = graph.weight('f32', [outputs], async () => (await this.#rows(tensor, limit)).scales);
    const { integers, scale, zeroPoint } = this.#quantise(input);
    // No zero point for the weights: they are symmetric.
    const operands = [integers, weight, scale, scales, zeroPoint, ''];
    return graph.op('MatMulIntegerToFloat', bias === null ? operands : [...operands, bias], {}, CONTRIB);
  }

  /** Queries, keys and values share one input: it is quantised once. */
  #quantise(input: Value): QuantisedValue {
    let made = this.#quantised.get(input);
    if (!made) {
      const [integers, scale, zeroPoint] = this.#graph.ops('DynamicQuantizeLinear', 3, [input]);
      made = { integers: integers!, scale: scale!, zeroPoint: zeroPoint! };
      this.#quantised.set(input, made);
    }
    return made;
  }

  /** Integers and scales of a matrix are written one after the other: the last matrix is kept for the second. */
  #rows(tensor: string, limit: number): Promise<QuantisedRows> {
    if (this.#lastRows?.tensor !== tensor)
      this.#lastRows = { tensor, rows: this.#checkpoint.quantised(tensor, limit) };
    return this.#lastRows.rows;
  }

  #matrix(tensor: string): [rows: number, columns: number] {
    const [rows, columns] = this.#checkpoint.shape(tensor) as [number, number];
    return [rows, columns];
  }
}
