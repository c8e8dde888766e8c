/**
 * The wire format of Protocol Buffers, as far as an ONNX model needs it
 * (https://protobuf.dev/programming-guides/encoding). Each function gives one field.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const tag = (field: number, wireType: number): Buffer => varint((field << 3) | wireType);

/** An int64 or enum; negative numbers as two's complement. */
export const integer = (field: number, value: number | bigint): Buffer =>
  Buffer.concat([tag(field, VARINT), varint(value)]);

export function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([tag(field, FIXED32), bytes]);
}

export const bytes = (field: number, value: Uint8Array): Buffer =>
  Buffer.concat([tag(field, LENGTH_DELIMITED), varint(value.byteLength), value]);

export const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value));

/** A message inside a message, from its fields. */
export const message = (field: number, ...fields: Buffer[]): Buffer => bytes(field, Buffer.concat(fields));
