/**
 * EBML (RFC 8794), the binary tree that Matroska and WebM are written in, read as it streams in: elements to be
 * entered are reported when they begin, elements to be read when they are whole, all others are skipped. Live
 * recorders leave the sizes of what they enter unknown; here they are not needed.
 */
import { undecodable } from '../undecodable.ts';
import { ByteQueue } from './byte-queue.ts';

export interface EbmlElement {
  readonly id: number;
  /** The content; true until the next push. Empty for an element that is entered. */
  readonly body: Uint8Array;
}

/** What to do with the elements of a document, by id. */
export interface EbmlPlan {
  readonly enter: ReadonlySet<number>;
  readonly read: ReadonlySet<number>;
}

/** No element that is read whole may be larger. */
const MAX_READ_BYTES = 1_048_576;
/** Nor one that is skipped: it would swallow everything after a damaged size. */
const MAX_SKIPPED_BYTES = 2 ** 32;
/** Ids have up to four bytes, sizes up to eight. */
const MAX_HEADER_BYTES = 12;
const UNKNOWN_SIZE = Number.POSITIVE_INFINITY;

interface Header {
  readonly id: number;
  readonly size: number;
  readonly length: number;
}

export class EbmlReader {
  readonly #plan: EbmlPlan;
  readonly #bytes = new ByteQueue();

  constructor(plan: EbmlPlan) {
    this.#plan = plan;
  }

  /**
   * The planned elements that `bytes` complete, in order.
   * @throws Failure `audio_undecodable` where the bytes are no EBML.
   */
  *push(bytes: Uint8Array): Generator<EbmlElement, void, undefined> {
    this.#bytes.push(bytes);
    while (true) {
      const header = readHeader(this.#bytes.peek(Math.min(MAX_HEADER_BYTES, this.#bytes.length))!);
      if (!header) return;
      const { id, size, length } = header;
      if (this.#plan.enter.has(id)) {
        this.#bytes.skip(length);
        yield { id, body: new Uint8Array(0) };
      } else if (this.#plan.read.has(id)) {
        if (size > MAX_READ_BYTES) throw damaged();
        const element = this.#bytes.take(length + size);
        if (!element) return;
        yield { id, body: element.subarray(length) };
      } else {
        if (size > MAX_SKIPPED_BYTES) throw damaged();
        this.#bytes.skip(length + size);
      }
    }
  }
}

/** The elements directly inside a body that is at hand. Stops quietly where it is cut short. */
export function* childrenOf(body: Uint8Array): Generator<EbmlElement, void, undefined> {
  for (let at = 0; at < body.length; ) {
    const header = readHeader(body.subarray(at));
    if (!header) return;
    const start = at + header.length;
    if (header.size > body.length - start) return;
    at = start + header.size;
    yield { id: header.id, body: body.subarray(start, at) };
  }
}

/** A big-endian number of up to eight bytes; beyond 2^53 it loses its last digits. */
export const unsigned = (body: Uint8Array): number => body.reduce((sum, byte) => sum * 256 + byte, 0);

/** The same in two's complement. */
export function signed(body: Uint8Array): number {
  const value = unsigned(body);
  return body.length > 0 && body[0]! >= 0x80 ? value - 256 ** body.length : value;
}

/**
 * A variable-length integer: the number of leading zero bits says how many bytes follow the first (RFC 8794, 4).
 * Null where it has not all arrived.
 */
export function vint(bytes: Uint8Array): { readonly value: number; readonly length: number } | null {
  if (bytes.length === 0) return null;
  const length = Math.clz32(bytes[0]!) - 23;
  if (length > 8) throw damaged();
  if (bytes.length < length) return null;
  const marker = 2 ** (8 - length);
  const value = unsigned(bytes.subarray(1, length)) + (bytes[0]! - marker) * 256 ** (length - 1);
  return { value, length };
}

function readHeader(bytes: Uint8Array): Header | null {
  const idLength = bytes.length === 0 ? 0 : Math.clz32(bytes[0]!) - 23;
  if (idLength > 4) throw damaged();
  if (idLength === 0 || bytes.length < idLength) return null;
  const size = vint(bytes.subarray(idLength));
  if (!size) return null;
  // All ones: unknown (RFC 8794, 6.2).
  const isUnknown = size.value === 2 ** (7 * size.length) - 1;
  return {
    id: unsigned(bytes.subarray(0, idLength)),
    size: isUnknown ? UNKNOWN_SIZE : size.value,
    length: idLength + size.length,
  };
}

const damaged = () => undecodable('The WebM data is damaged.');
