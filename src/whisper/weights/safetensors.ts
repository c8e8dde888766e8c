/**
 * Reads safetensors files tensor by tensor. Format: a little-endian 64-bit length, that much JSON, then the
 * data; https://huggingface.co/docs/safetensors.
 */
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../../models/model-error.ts';

const BYTES_PER_ELEMENT = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

export type Dtype = keyof typeof BYTES_PER_ELEMENT;

/** Where a tensor lies. */
export interface TensorEntry {
  readonly path: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** From the file's first byte. */
  readonly offset: number;
  readonly byteLength: number;
}

/** The reference implementation's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

const count = z.int().nonnegative();
const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.enum(Object.keys(BYTES_PER_ELEMENT) as [Dtype, ...Dtype[]]),
    shape: z.array(count),
    data_offsets: z.tuple([count, count]),
  }),
);

/**
 * Reads a file's header and checks it against the file's size.
 *
 * @throws ModelError `missing` without the file, `damaged` where the header is no header or speaks of data that
 * is not there.
 */
export async function readTensorEntries(path: string): Promise<Map<string, TensorEntry>> {
  const name = basename(path);
  const damaged = (what: string) => new ModelError('damaged', `${name} is damaged: ${what}`);
  const size = await stat(path).then(
    (found) => found.size,
    (error) => {
      throw new ModelError('missing', `${path} is not there`, error);
    },
  );
  if (size < 8) throw damaged('it is too short for a safetensors file');
  const headerBytes = Number((await readBytes(path, 0, 8)).readBigUInt64LE());
  if (headerBytes > MAX_HEADER_BYTES || 8 + headerBytes > size)
    throw damaged(`its header claims ${headerBytes} bytes, the file has ${size}`);

  const { __metadata__: _, ...entries } = parseHeader(await readBytes(path, 8, headerBytes), damaged);
  const parsed = headerSchema.safeParse(entries);
  if (!parsed.success) throw damaged(`its header is malformed at ${parsed.error.issues[0]!.path.join('.')}`);

  const tensors = new Map<string, TensorEntry>();
  for (const [tensor, { dtype, shape, data_offsets }] of Object.entries(parsed.data)) {
    const [start, end] = data_offsets;
    const byteLength = shape.reduce((product, side) => product * side, BYTES_PER_ELEMENT[dtype]);
    if (end - start !== byteLength) throw damaged(`${tensor} has ${end - start} bytes, not ${byteLength}`);
    if (8 + headerBytes + end > size) throw damaged(`it ends before ${tensor} does`);
    tensors.set(tensor, { path, dtype, shape, offset: 8 + headerBytes + start, byteLength });
  }
  return tensors;
}

function parseHeader(bytes: Buffer, damaged: (what: string) => ModelError): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw damaged('its header is not a JSON object');
}

/** The bytes of one tensor, in memory of their own. */
export function readTensor(entry: TensorEntry): Promise<Buffer> {
  return readBytes(entry.path, entry.offset, entry.byteLength);
}

async function readBytes(path: string, offset: number, length: number): Promise<Buffer> {
  // Not from the pool: typed arrays of any width are laid over it.
  const buffer = Buffer.allocUnsafeSlow(length);
  const file = await open(path);
  try {
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
      if (bytesRead === 0) throw new ModelError('damaged', `${basename(path)} ended while it was read`);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
  return buffer;
}
