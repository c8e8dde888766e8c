import type { Checkpoint } from '../weights/checkpoint.ts';
import { byHead, byHeadTransposed, fullAttention } from './attention.ts';
import { crossIo, encoderIo, type GraphKind, memoryIo } from './contract.ts';
import { Layers } from './layers.ts';
import { OnnxGraph, type Value } from './onnx-graph.ts';

/** Slices to the end. */
const END = 2 ** 31;

/**
 * Whisper's encoder (Radford et al. 2022, section 2.2), of any length, with the weighted tail, and behind it the
 * keys and values of the decoder's cross-attention, which are the same for every token. Positions that an earlier
 * pass encoded may be looked at without being encoded again. `contract.ts` has the inputs and outputs.
 *
 * @param name Where `save` writes: `{name}.onnx` and `{name}.weights`.
 */
export function encoderGraph(checkpoint: Checkpoint, kind: GraphKind, name: string): OnnxGraph {
  const { config } = checkpoint;
  const graph = new OnnxGraph(name);
  const layers = new Layers(graph, checkpoint, kind);
  const heads = { count: config.encoderHeads, width: config.dModel / config.encoderHeads };

  const mel = graph.input(encoderIo.mel, 'f32', [1, config.mels, 'frames']);
  const lead = graph.input(encoderIo.lead, 'i64', [1]);
  const positions = graph.input(encoderIo.positions, 'i64', ['Q']);
  const keyBias = graph.input(encoderIo.keyBias, 'f32', [1, 1, 1, 'T']);
  // The fused attention wants the bias for every query; it is the same for all.
  const [queryCount, keyCount] = [graph.op('Shape', [positions]), graph.op('Shape', [keyBias], { start: 3 })];
  const rectangle = graph.op('Concat', [graph.integers([1, 1]), queryCount, keyCount], { axis: 0 });
  const bias = graph.op('Expand', [keyBias, rectangle]);

  /** What earlier positions left, and after it what this pass's do. */
  const withPast = (name: string, fresh: Value): Value => {
    graph.output(memoryIo.fresh(name), 'f32', [1, 'Q', config.dModel], fresh);
    const past = graph.input(memoryIo.past(name), 'f32', [1, 'P', config.dModel]);
    return graph.op('Concat', [past, fresh], { axis: 1 });
  };

  // Convolutions stay real numbers: they are small, and the first sees the raw spectrum.
  const convolution = (input: Value, layer: string, stride: number): Value => {
    const inputs = [input, layers.floats(`${layer}.weight`), layers.floats(`${layer}.bias`)];
    const attributes = { kernel_shape: [3], pads: [1, 1], strides: [stride] };
    return layers.gelu(graph.op('Conv', inputs, attributes));
  };
  const frames = graph.op(
    'Transpose',
    [convolution(convolution(mel, 'encoder.conv1', 1), 'encoder.conv2', 2)],
    {
      perm: [0, 2, 1],
    },
  );
  const table = layers.floats('encoder.embed_positions.weight');
  let x = layers.add(
    graph.op('Slice', [frames, lead, graph.integers([END]), graph.integers([1])]),
    graph.op('Gather', [table, positions], { axis: 0 }),
  );

  for (let layer = 0; layer < config.encoderLayers; layer++) {
    const prefix = `encoder.layers.${layer}`;
    const attention = `${prefix}.self_attn`;
    const { queries, ...fresh } = layers.projections(layers.norm(x, `${attention}_layer_norm`), attention);
    const keys = withPast(memoryIo.key(layer), fresh.keys);
    const values = withPast(memoryIo.value(layer), fresh.values);
    const mixed = fullAttention(graph, { queries, keys, values }, heads, bias);
    x = layers.add(x, layers.linear(mixed, `${attention}.out_proj`));
    x = layers.feedForward(x, prefix);
  }
  const encoded = layers.norm(x, 'encoder.layer_norm');

  const { decoderHeads: H } = config;
  const cross = { count: H, width: config.dModel / H };
  for (let layer = 0; layer < config.decoderLayers; layer++) {
    const prefix = `decoder.layers.${layer}.encoder_attn`;
    const freshKeys = layers.linear(encoded, `${prefix}.k_proj`, { bias: false });
    const keys = withPast(memoryIo.crossKey(layer), freshKeys);
    const values = withPast(memoryIo.crossValue(layer), layers.linear(encoded, `${prefix}.v_proj`));
    const [key, value] = [byHeadTransposed(graph, keys, cross), byHead(graph, values, cross)];
    graph.output(crossIo.key(layer), 'f32', [1, H, cross.width, 'T'], key);
    graph.output(crossIo.value(layer), 'f32', [1, H, 'T', cross.width], value);
  }
  return graph;
}
