/**
 * Builds an ONNX model and writes it to disk. Numbers of fields and types are those of onnx.proto
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * Weights go to a second file beside the model (ONNX's "external data"), one at a time: a model may be larger
 * than memory and than protobuf's 2 GB, and sessions that map the same file share its pages.
 */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bytes, float, integer, message, text } from './protobuf.ts';

const TYPES = { f32: 1, i8: 3, i64: 7 } as const;
const BYTES_PER_ELEMENT = { f32: 4, i8: 1, i64: 8 } as const;
export type ElementType = keyof typeof TYPES;

/** A dimension: its size, or a name where it varies. */
export type Dimension = number | string;

/** Attributes of a node. A bare number is an integer; write `{ float: 1e-5 }` for a real one. */
export type Attributes = Readonly<Record<string, number | string | readonly number[] | { float: number }>>;

/** Names a value in a graph: what a node gives and the next one takes. */
export type Value = string;

const IR_VERSION = 9;
const OPSET = 17;
/** The optimised operators that onnxruntime adds to ONNX's own. */
export const CONTRIB = 'com.microsoft';
const CONTRIB_OPSET = 1;
/** Weights begin at pages, so that they can be mapped. */
const ALIGNMENT = 4096;

interface Node {
  readonly type: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  readonly domain: string;
}

interface Weight {
  readonly offset: number;
  readonly byteLength: number;
  load(): Promise<ArrayBufferView>;
}

export class OnnxGraph {
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #tensors: Buffer[] = [];
  readonly #inputs: Buffer[] = [];
  readonly #outputs: Buffer[] = [];
  readonly #weights: Weight[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #outputNames = new Map<Value, string>();
  readonly #dataFile: string;
  #weightBytes = 0;
  #count = 0;

  /** @param name The model is written to `{name}.onnx`, its weights to `{name}.weights`. */
  constructor(name: string) {
    this.#name = name;
    this.#dataFile = `${basename(name)}.weights`;
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): Value {
    this.#inputs.push(valueInfo(11, name, type, shape));
    return name;
  }

  /** Gives a value out of the graph under a name of its own. */
  output(name: string, type: ElementType, shape: readonly Dimension[], value: Value): void {
    this.#outputNames.set(value, name);
    this.#outputs.push(valueInfo(12, name, type, shape));
  }

  /** A node with one output. An empty input name skips an optional input. */
  op(type: string, inputs: readonly Value[], attributes: Attributes = {}, domain = ''): Value {
    return this.ops(type, 1, inputs, attributes, domain)[0]!;
  }

  /** A node with several outputs. */
  ops(
    type: string,
    outputs: number,
    inputs: readonly Value[],
    attributes: Attributes = {},
    domain = '',
  ): Value[] {
    const names = Array.from({ length: outputs }, () => `${type}_${this.#count++}`);
    this.#nodes.push({ type, inputs, outputs: names, attributes, domain });
    return names;
  }

  /** A weight whose bytes are asked for while the model is saved. */
  weight(type: ElementType, shape: readonly number[], load: () => Promise<ArrayBufferView>): Value {
    const name = `weight_${this.#count++}`;
    const byteLength = shape.reduce((product, side) => product * side, BYTES_PER_ELEMENT[type]);
    const offset = Math.ceil(this.#weightBytes / ALIGNMENT) * ALIGNMENT;
    this.#weightBytes = offset + byteLength;
    this.#weights.push({ offset, byteLength, load });
    const entry = (key: string, value: string) => message(13, text(1, key), text(2, value));
    const external = 1;
    this.#tensors.push(
      message(
        5,
        ...tensorHead(name, type, shape),
        entry('location', this.#dataFile),
        entry('offset', String(offset)),
        entry('length', String(byteLength)),
        integer(14, external),
      ),
    );
    return name;
  }

  /** Small integers known when the graph is built: shapes, axes, indices. A scalar where given one number. */
  integers(values: number | readonly number[]): Value {
    const list = typeof values === 'number' ? [values] : values;
    const raw = BigInt64Array.from(list, BigInt);
    return this.#constant('i64', typeof values === 'number' ? [] : [list.length], raw);
  }

  /** One number known when the graph is built. */
  scalar(value: number): Value {
    return this.#constant('f32', [], Float32Array.of(value));
  }

  /** Writes both files and waits until they are on disk. Weights are loaded one after another. */
  async save(): Promise<void> {
    const contrib = message(8, text(1, CONTRIB), integer(2, CONTRIB_OPSET));
    const graph = [
      ...this.#nodes.map((node) => this.#encode(node)),
      text(2, basename(this.#name)),
      ...this.#tensors,
    ];
    const model = [
      integer(1, IR_VERSION),
      text(2, 'earshot'),
      message(7, ...graph, ...this.#inputs, ...this.#outputs),
      message(8, text(1, ''), integer(2, OPSET)),
      contrib,
    ];
    await writeFile(`${this.#name}.onnx`, Buffer.concat(model), { flush: true });
    await pipeline(
      Readable.from(this.#weightChunks()),
      createWriteStream(`${this.#name}.weights`, { flush: true }),
    );
  }

  async *#weightChunks(): AsyncGenerator<Buffer> {
    let at = 0;
    for (const { offset, byteLength, load } of this.#weights) {
      if (offset > at) yield Buffer.alloc(offset - at);
      const view = await load();
      if (view.byteLength !== byteLength)
        throw new RangeError(`a weight has ${view.byteLength} bytes where its shape says ${byteLength}`);
      yield Buffer.from(view.buffer, view.byteOffset, view.byteLength);
      at = offset + byteLength;
    }
  }

  #constant(type: ElementType, shape: readonly number[], values: ArrayBufferView): Value {
    const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const key = `${type}[${shape}]${raw.toString('hex')}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const name = `constant_${this.#count++}`;
    this.#constants.set(key, name);
    this.#tensors.push(message(5, ...tensorHead(name, type, shape), bytes(9, raw)));
    return name;
  }

  #encode({ type, inputs, outputs, attributes, domain }: Node): Buffer {
    const nameOf = (value: Value) => this.#outputNames.get(value) ?? value;
    return message(
      1,
      ...inputs.map((value) => text(1, nameOf(value))),
      ...outputs.map((value) => text(2, nameOf(value))),
      text(3, outputs[0]!),
      text(4, type),
      ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      text(7, domain),
    );
  }
}

function tensorHead(name: string, type: ElementType, shape: readonly number[]): Buffer[] {
  return [...shape.map((side) => integer(1, side)), integer(2, TYPES[type]), text(8, name)];
}

function attribute(name: string, value: Attributes[string]): Buffer {
  const FLOAT = 1;
  const INT = 2;
  const STRING = 3;
  const INTS = 7;
  const typed = (type: number, ...fields: Buffer[]) =>
    message(5, text(1, name), ...fields, integer(20, type));
  if (typeof value === 'number') return typed(INT, integer(3, value));
  if (typeof value === 'string') return typed(STRING, text(4, value));
  if ('float' in value) return typed(FLOAT, float(2, value.float));
  return typed(INTS, ...value.map((each) => integer(8, each)));
}

function valueInfo(field: number, name: string, type: ElementType, shape: readonly Dimension[]): Buffer {
  const sides = shape.map((side) => message(1, typeof side === 'string' ? text(2, side) : integer(1, side)));
  const tensor = message(1, integer(1, TYPES[type]), message(2, ...sides));
  return message(field, text(1, name), message(2, tensor));
}
