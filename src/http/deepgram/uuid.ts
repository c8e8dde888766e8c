/** Ids in the form that Deepgram's clients read. */
import { createHash } from 'node:crypto';

/** The UUID that stands for a name, always the same (RFC 9562, version 8: made of its SHA-256). */
export function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
