/** Tensors of onnxruntime, made and looked into. */
import { type InferenceSession, Tensor } from 'onnxruntime-node';

export const integers = (values: readonly number[], shape: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), shape);

/** The numbers of what a graph gave; all outputs of ours are float32. */
export const viewsOf = (tensors: InferenceSession.OnnxValueMapType): Float32Array[] =>
  Object.values(tensors).map(({ data }) => data as Float32Array);
