import type { WhisperConfig } from './config.ts';

/** Names of the token embedding and of a head that does not share it. */
export const TOKEN_EMBEDDING = 'decoder.embed_tokens.weight';
export const UNTIED_HEAD = 'proj_out.weight';

/** How a tensor is used: matrices of linear layers and the token embedding are what may be quantised. */
type TensorRole = 'linear' | 'embedding' | 'other';

export interface ExpectedTensor {
  readonly role: TensorRole;
  readonly shape: readonly number[];
}

/**
 * Every tensor that a Whisper of this shape has, by its Hugging Face name without the leading `model.`. An
 * untied head is not among them: it may be there or not.
 */
export function expectedTensors(config: WhisperConfig): Map<string, ExpectedTensor> {
  const { dModel: d, mels } = config;
  const tensors = new Map<string, ExpectedTensor>();
  const other = (name: string, ...shape: number[]) => tensors.set(name, { role: 'other', shape });
  const linear = (name: string, outputs: number, inputs: number, bias = true) => {
    tensors.set(`${name}.weight`, { role: 'linear', shape: [outputs, inputs] });
    if (bias) other(`${name}.bias`, outputs);
  };
  const norm = (name: string) => {
    other(`${name}.weight`, d);
    other(`${name}.bias`, d);
  };
  const attention = (name: string) => {
    linear(`${name}.q_proj`, d, d);
    linear(`${name}.k_proj`, d, d, false);
    linear(`${name}.v_proj`, d, d);
    linear(`${name}.out_proj`, d, d);
    norm(`${name}_layer_norm`);
  };
  const feedForward = (name: string, width: number) => {
    linear(`${name}.fc1`, width, d);
    linear(`${name}.fc2`, d, width);
    norm(`${name}.final_layer_norm`);
  };

  other('encoder.conv1.weight', d, mels, 3);
  other('encoder.conv1.bias', d);
  other('encoder.conv2.weight', d, d, 3);
  other('encoder.conv2.bias', d);
  other('encoder.embed_positions.weight', config.maxSourcePositions, d);
  for (let layer = 0; layer < config.encoderLayers; layer++) {
    attention(`encoder.layers.${layer}.self_attn`);
    feedForward(`encoder.layers.${layer}`, config.encoderFfnDim);
  }
  norm('encoder.layer_norm');

  tensors.set(TOKEN_EMBEDDING, { role: 'embedding', shape: [config.vocabSize, d] });
  other('decoder.embed_positions.weight', config.maxTargetPositions, d);
  for (let layer = 0; layer < config.decoderLayers; layer++) {
    attention(`decoder.layers.${layer}.self_attn`);
    attention(`decoder.layers.${layer}.encoder_attn`);
    feedForward(`decoder.layers.${layer}`, config.decoderFfnDim);
  }
  norm('decoder.layer_norm');
  return tensors;
}
