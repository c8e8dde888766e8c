import type { Checkpoint } from '../weights/checkpoint.ts';
import { causalAttention, crossAttention } from './attention.ts';
import { crossIo, decoderIo, type GraphKind } from './contract.ts';
import { Layers } from './layers.ts';
import { OnnxGraph, type Value } from './onnx-graph.ts';

/**
 * Whisper's decoder over several tokens at once, with a past that is cut to where the tokens begin.
 * `contract.ts` has the inputs and outputs.
 *
 * @param name Where `save` writes: `{name}.onnx` and `{name}.weights`.
 */
export function decoderGraph(checkpoint: Checkpoint, kind: GraphKind, name: string): OnnxGraph {
  const { config } = checkpoint;
  const graph = new OnnxGraph(name);
  const layers = new Layers(graph, checkpoint, kind);
  const heads = { count: config.decoderHeads, width: config.dModel / config.decoderHeads };
  const { count: H, width: D } = heads;

  const tokens = graph.input(decoderIo.tokens, 'i64', [1, 'S']);
  const positions = graph.input(decoderIo.positions, 'i64', ['S']);
  const rows = graph.input(decoderIo.rows, 'i64', ['R']);
  const keyBias = graph.input(decoderIo.keyBias, 'f32', [1, 1, 1, 'T']);

  const [zero, one, timeAxis] = [graph.integers([0]), graph.integers([1]), graph.integers([2])];
  const pastLength = graph.op('Slice', [positions, zero, one]);
  const past = (name: string): Value => {
    const whole = graph.input(name, 'f32', [1, H, 'past', D]);
    return graph.op('Slice', [whole, zero, pastLength, timeAxis]);
  };

  const table = layers.floats('decoder.embed_positions.weight');
  let x = layers.add(layers.tokenEmbedding(tokens), graph.op('Gather', [table, positions], { axis: 0 }));
  const alignment: Value[] = [];
  for (let layer = 0; layer < config.decoderLayers; layer++) {
    const prefix = `decoder.layers.${layer}`;

    const self = `${prefix}.self_attn`;
    const projections = layers.projections(layers.norm(x, `${self}_layer_norm`), self);
    const before = { keys: past(decoderIo.pastKey(layer)), values: past(decoderIo.pastValue(layer)) };
    const { output, present } = causalAttention(graph, projections, heads, before);
    graph.output(decoderIo.key(layer), 'f32', [1, H, 'present', D], present.keys);
    graph.output(decoderIo.value(layer), 'f32', [1, H, 'present', D], present.values);
    x = layers.add(x, layers.linear(output, `${self}.out_proj`));

    const cross = `${prefix}.encoder_attn`;
    const queries = layers.linear(layers.norm(x, `${cross}_layer_norm`), `${cross}.q_proj`);
    const keys = graph.input(crossIo.key(layer), 'f32', [1, H, D, 'T']);
    const values = graph.input(crossIo.value(layer), 'f32', [1, H, 'T', D]);
    const heard = crossAttention(graph, { queries, keys, values }, heads, keyBias);
    x = layers.add(x, layers.linear(heard.output, `${cross}.out_proj`));

    const aligned = config.alignmentHeads.filter(([of]) => of === layer).map(([, head]) => head);
    if (aligned.length > 0)
      alignment.push(graph.op('Gather', [heard.weights, graph.integers(aligned)], { axis: 1 }));
    x = layers.feedForward(x, prefix);
  }

  if (alignment.length > 0) {
    const shape = [1, config.alignmentHeads.length, 'S', 'T'];
    graph.output(decoderIo.alignment, 'f32', shape, graph.op('Concat', alignment, { axis: 1 }));
  }
  const wanted = graph.op('Gather', [layers.norm(x, 'decoder.layer_norm'), rows], { axis: 1 });
  graph.output(decoderIo.logits, 'f32', [1, 'R', config.vocabSize], layers.head(wanted));
  return graph;
}
