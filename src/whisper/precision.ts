/**
 * Which integers this CPU multiplies rightly. x86 without VNNI adds pairs of 8-bit products in 16 bits, which
 * overflow for large weights; 7-bit weights never do. Flags of CPUs differ by system, so one multiplication of
 * the largest numbers is tried instead.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { GraphKind } from './graph/contract.ts';
import { CONTRIB, OnnxGraph } from './graph/onnx-graph.ts';

const INPUTS = 256;
const OUTPUTS = 64;
const LARGEST_ACTIVATION = 255;
const LARGEST_WEIGHT = 127;

/** One row and several take different kernels. */
const ROW_COUNTS = [1, 16];

/** `int8` where 8-bit weights are multiplied exactly, else `int7`. */
export async function integerKind(): Promise<Extract<GraphKind, 'int8' | 'int7'>> {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-'));
  try {
    const name = join(folder, 'largest');
    await largestProducts(name).save();
    const session = await InferenceSession.create(`${name}.onnx`, { intraOpNumThreads: 1 });
    const exact = await Promise.all(ROW_COUNTS.map((rows) => isExact(session, rows)));
    await session.release();
    return exact.every(Boolean) ? 'int8' : 'int7';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isExact(session: InferenceSession, rows: number): Promise<boolean> {
  const input = new Float32Array(rows * INPUTS).fill(LARGEST_ACTIVATION);
  const { sums } = await session.run({ input: new Tensor('float32', input, [1, rows, INPUTS]) });
  const expected = INPUTS * LARGEST_ACTIVATION * LARGEST_WEIGHT;
  return (sums!.data as Float32Array).every((sum) => sum === expected);
}

/** A linear layer as the graphs have it, with every weight as large as can be and scales of one. */
function largestProducts(name: string): OnnxGraph {
  const graph = new OnnxGraph(name);
  const input = graph.input('input', 'f32', [1, 'rows', INPUTS]);
  const [integers, scale, zeroPoint] = graph.ops('DynamicQuantizeLinear', 3, [input]);
  const weight = graph.weight('i8', [INPUTS, OUTPUTS], async () =>
    new Int8Array(INPUTS * OUTPUTS).fill(LARGEST_WEIGHT),
  );
  const scales = graph.weight('f32', [OUTPUTS], async () => new Float32Array(OUTPUTS).fill(1));
  const operands = [integers!, weight, scale!, scales, zeroPoint!, ''];
  const sums = graph.op('MatMulIntegerToFloat', operands, {}, CONTRIB);
  graph.output('sums', 'f32', [1, 'rows', OUTPUTS], sums);
  return graph;
}
