/**
 * Whisper written out plainly in double precision, for models of a few kilobytes: what the graphs are compared
 * with where the golden answers do not reach. Follows Radford et al. 2022 and Hugging Face's names.
 */
import type { Checkpoint } from '../../src/whisper/weights/checkpoint.ts';
import { TOKEN_EMBEDDING, UNTIED_HEAD } from '../../src/whisper/weights/tensor-names.ts';

type Matrix = number[][];

export interface Reference {
  /**
   * @param mel [mels][frames]
   * @param positions One for every two frames.
   * @param runs How often each of them is there.
   * @returns [sum of runs][d]
   */
  encode(mel: Matrix, positions: readonly number[], runs?: readonly number[]): Promise<Matrix>;
  /** Logits after every token. */
  decode(encoded: Matrix, tokens: readonly number[]): Promise<Matrix>;
}

export function reference(checkpoint: Checkpoint): Reference {
  const { config } = checkpoint;

  const matrix = async (name: string): Promise<Matrix> => {
    const values = await checkpoint.floats(name);
    const [rows, ...rest] = checkpoint.shape(name) as [number, ...number[]];
    const columns = rest.reduce((product, side) => product * side, 1);
    return Array.from({ length: rows }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)]);
  };
  const vector = async (name: string): Promise<number[]> => [...(await checkpoint.floats(name))];

  const linear = async (x: Matrix, name: string, bias = true): Promise<Matrix> => {
    const weight = await matrix(`${name}.weight`);
    const offset = bias ? await vector(`${name}.bias`) : weight.map(() => 0);
    return x.map((row) => weight.map((column, i) => dot(row, column) + offset[i]!));
  };
  const norm = async (x: Matrix, name: string): Promise<Matrix> => {
    const [gain, bias] = [await vector(`${name}.weight`), await vector(`${name}.bias`)];
    return x.map((row) => {
      const mean = sum(row) / row.length;
      const variance = sum(row.map((value) => (value - mean) ** 2)) / row.length;
      return row.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gain[i]! + bias[i]!);
    });
  };
  const attention = async (x: Matrix, over: Matrix, name: string, heads: number, causal: boolean) => {
    const queries = await linear(x, `${name}.q_proj`);
    const keys = await linear(over, `${name}.k_proj`, false);
    const values = await linear(over, `${name}.v_proj`);
    const width = config.dModel / heads;
    const mixed = queries.map((query, i) =>
      query.map((_, column) => {
        const from = Math.floor(column / width) * width;
        const part = (row: number[]) => row.slice(from, from + width);
        const seen = causal ? keys.slice(0, i + 1) : keys;
        const scores = seen.map((key) => Math.exp(dot(part(query), part(key)) / Math.sqrt(width)));
        return sum(scores.map((score, j) => score * values[j]![column]!)) / sum(scores);
      }),
    );
    return linear(mixed, `${name}.out_proj`);
  };
  const selfAttention = async (x: Matrix, layer: string, heads: number, causal: boolean) => {
    const normed = await norm(x, `${layer}.self_attn_layer_norm`);
    return add(x, await attention(normed, normed, `${layer}.self_attn`, heads, causal));
  };
  const feedForward = async (x: Matrix, layer: string) => {
    const inner = await linear(await norm(x, `${layer}.final_layer_norm`), `${layer}.fc1`);
    return add(
      x,
      await linear(
        inner.map((row) => row.map(gelu)),
        `${layer}.fc2`,
      ),
    );
  };
  /** Of [channels][frames], three frames wide. */
  const convolution = async (x: Matrix, name: string, stride: number): Promise<Matrix> => {
    const weight = await matrix(`${name}.weight`);
    const bias = await vector(`${name}.bias`);
    const frames = Array.from({ length: x[0]!.length / stride }, (_, i) => i * stride);
    return weight.map((kernel, channel) =>
      frames.map((frame) => {
        const terms = kernel.map((value, k) => value * (x[Math.floor(k / 3)]![frame + (k % 3) - 1] ?? 0));
        return gelu(sum(terms) + bias[channel]!);
      }),
    );
  };

  return {
    encode: async (mel, positions, runs = positions.map(() => 1)) => {
      const channels = await convolution(await convolution(mel, 'encoder.conv1', 1), 'encoder.conv2', 2);
      const table = await matrix('encoder.embed_positions.weight');
      let x = positions.flatMap((position, t) => {
        const row = channels.map((channel, i) => channel[t]! + table[position]![i]!);
        return Array.from({ length: runs[t]! }, () => row);
      });
      for (let layer = 0; layer < config.encoderLayers; layer++) {
        x = await selfAttention(x, `encoder.layers.${layer}`, config.encoderHeads, false);
        x = await feedForward(x, `encoder.layers.${layer}`);
      }
      return norm(x, 'encoder.layer_norm');
    },
    decode: async (encoded, tokens) => {
      const embedding = await matrix(TOKEN_EMBEDDING);
      const positions = await matrix('decoder.embed_positions.weight');
      let x = tokens.map((token, t) => embedding[token]!.map((value, i) => value + positions[t]![i]!));
      for (let layer = 0; layer < config.decoderLayers; layer++) {
        const name = `decoder.layers.${layer}`;
        x = await selfAttention(x, name, config.decoderHeads, true);
        const normed = await norm(x, `${name}.encoder_attn_layer_norm`);
        x = add(x, await attention(normed, encoded, `${name}.encoder_attn`, config.decoderHeads, false));
        x = await feedForward(x, name);
      }
      const head = checkpoint.has(UNTIED_HEAD) ? await matrix(UNTIED_HEAD) : embedding;
      return (await norm(x, 'decoder.layer_norm')).map((row) => head.map((column) => dot(row, column)));
    },
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, i) => value * b[i]!));
const add = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** The error function by its Taylor series, which converges everywhere; arguments here are small. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, total] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}
