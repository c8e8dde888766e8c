import type { Checkpoint } from '../weights/checkpoint.ts';
import { byHead, byHeadTransposed, fullAttention } from './attention.ts';
import { crossIo, encoderIo, type GraphKind } from './contract.ts';
import { Layers } from './layers.ts';
import { OnnxGraph, type Value } from './onnx-graph.ts';

/**
 * Whisper's encoder (Radford et al. 2022, section 2.2), of any length, with the weighted tail, and behind it
 * the keys and values of the decoder's cross-attention, which are the same for every token. `contract.ts` has
 * the inputs and outputs.
 *
 * @param name Where `save` writes: `{name}.onnx` and `{name}.weights`.
 */
export function encoderGraph(checkpoint: Checkpoint, kind: GraphKind, name: string): OnnxGraph {
  const { config } = checkpoint;
  const graph = new OnnxGraph(name);
  const layers = new Layers(graph, checkpoint, kind);
  const heads = { count: config.encoderHeads, width: config.dModel / config.encoderHeads };

  const mel = graph.input(encoderIo.mel, 'f32', [1, config.mels, '2T']);
  const positions = graph.input(encoderIo.positions, 'i64', ['T']);
  const keyBias = graph.input(encoderIo.keyBias, 'f32', [1, 1, 1, 'T']);
  // The fused attention wants the bias for every query; it is the same for all.
  const length = graph.op('Shape', [positions]);
  const square = graph.op('Concat', [graph.integers([1, 1]), length, length], { axis: 0 });
  const bias = graph.op('Expand', [keyBias, square]);

  // Convolutions stay real numbers: they are small, and the first sees the raw spectrum.
  const convolution = (input: Value, layer: string, stride: number): Value => {
    const inputs = [input, layers.floats(`${layer}.weight`), layers.floats(`${layer}.bias`)];
    const attributes = { kernel_shape: [3], pads: [1, 1], strides: [stride] };
    return layers.gelu(graph.op('Conv', inputs, attributes));
  };
  const frames = convolution(convolution(mel, 'encoder.conv1', 1), 'encoder.conv2', 2);
  const table = layers.floats('encoder.embed_positions.weight');
  let x = layers.add(
    graph.op('Transpose', [frames], { perm: [0, 2, 1] }),
    graph.op('Gather', [table, positions], { axis: 0 }),
  );

  for (let layer = 0; layer < config.encoderLayers; layer++) {
    const prefix = `encoder.layers.${layer}`;
    const attention = `${prefix}.self_attn`;
    const projections = layers.projections(layers.norm(x, `${attention}_layer_norm`), attention);
    const mixed = fullAttention(graph, projections, heads, bias);
    x = layers.add(x, layers.linear(mixed, `${attention}.out_proj`));
    x = layers.feedForward(x, prefix);
  }
  const encoded = layers.norm(x, 'encoder.layer_norm');

  const { decoderHeads: H } = config;
  const cross = { count: H, width: config.dModel / H };
  for (let layer = 0; layer < config.decoderLayers; layer++) {
    const prefix = `decoder.layers.${layer}.encoder_attn`;
    const keys = layers.linear(encoded, `${prefix}.k_proj`, { bias: false });
    const values = layers.linear(encoded, `${prefix}.v_proj`);
    const [key, value] = [byHeadTransposed(graph, keys, cross), byHead(graph, values, cross)];
    graph.output(crossIo.key(layer), 'f32', [1, H, cross.width, 'T'], key);
    graph.output(crossIo.value(layer), 'f32', [1, H, 'T', cross.width], value);
  }
  return graph;
}
