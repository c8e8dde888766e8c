/** A block of a Matroska cluster: the frames of one track for one moment (RFC 9559, 10). */
import { undecodable } from '../undecodable.ts';
import { vint } from './ebml.ts';

export interface Block {
  readonly track: number;
  readonly frames: readonly Uint8Array[];
}

/** Time code and flags follow the track's number. */
const FIXED_BYTES = 3;
const LACING_MASK = 0x06;

/** @throws Failure `audio_undecodable` where the frames do not fit the block. */
export function readBlock(body: Uint8Array): Block {
  const track = vint(body);
  if (!track || body.length < track.length + FIXED_BYTES) throw damaged();
  const flags = body[track.length + 2]!;
  const payload = body.subarray(track.length + FIXED_BYTES);
  return { track: track.value, frames: framesOf(payload, flags & LACING_MASK) };
}

function framesOf(payload: Uint8Array, lacing: number): Uint8Array[] {
  if (lacing === 0) return [payload];
  if (payload.length === 0) throw damaged();
  const count = payload[0]! + 1;
  const rest = payload.subarray(1);
  switch (lacing) {
    case 0x02:
      return cut(rest, xiphSizes(rest, count));
    case 0x04:
      return cut(rest, { sizes: new Array(count - 1).fill(Math.floor(rest.length / count)), length: 0 });
    default:
      return cut(rest, ebmlSizes(rest, count));
  }
}

/** The sizes of all frames but the last, and how many bytes they took. */
interface Lace {
  readonly sizes: readonly number[];
  readonly length: number;
}

function cut(bytes: Uint8Array, { sizes, length }: Lace): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let at = length;
  for (const size of sizes) {
    if (size < 0 || at + size > bytes.length) throw damaged();
    frames.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...frames, bytes.subarray(at)];
}

function xiphSizes(bytes: Uint8Array, count: number): Lace {
  const sizes: number[] = [];
  let at = 0;
  while (sizes.length < count - 1) {
    let size = 0;
    for (let byte = 255; byte === 255; ) {
      byte = bytes[at++] ?? -1;
      if (byte < 0) throw damaged();
      size += byte;
    }
    sizes.push(size);
  }
  return { sizes, length: at };
}

/** The first size as it is, the others as differences from the one before. */
function ebmlSizes(bytes: Uint8Array, count: number): Lace {
  const sizes: number[] = [];
  let at = 0;
  while (sizes.length < count - 1) {
    const number = vint(bytes.subarray(at));
    if (!number) throw damaged();
    at += number.length;
    const before = sizes.at(-1);
    const bias = 2 ** (7 * number.length - 1) - 1;
    sizes.push(before === undefined ? number.value : before + number.value - bias);
  }
  return { sizes, length: at };
}

const damaged = () => undecodable('A block of the WebM data is damaged.');
