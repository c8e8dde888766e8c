import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Dtype } from './safetensors.ts';

/** A tensor to be written. Its bytes are asked for when their turn comes, so that one at a time is in memory. */
export interface TensorSource {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Little-endian, row-major. */
  load(): Promise<Uint8Array>;
}

/** Writes a safetensors file, its data in the order of `tensors` and aligned to 8 bytes as the format asks. */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorSource[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, dtype, shape, byteLength } of tensors)
    header[name] = { dtype, shape, data_offsets: [end, (end += byteLength)] };
  const json = JSON.stringify(header);
  const text = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));

  async function* chunks() {
    yield length;
    yield text;
    for (const { name, byteLength, load } of tensors) {
      const bytes = await load();
      if (bytes.byteLength !== byteLength)
        throw new RangeError(`${name} has ${bytes.byteLength} bytes, not ${byteLength}`);
      if (byteLength > 0) yield bytes;
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path));
}
