/** How an entry of the spool lies on disk: one line of JSON that shows by itself whether it is what was written. */
import { createHash } from 'node:crypto';
import type { DurableEvent } from '../domain/event.ts';

/** Events of one session that wait for the database. */
export interface SpoolEntry {
  readonly sessionId: string;
  /** Of the claim they were written under. */
  readonly fence: number;
  /** One or more, in order, without a hole. */
  readonly events: readonly DurableEvent[];
}

/** A line where it was found. */
export interface FoundLine {
  readonly offset: number;
  /** In bytes, with its line end. */
  readonly length: number;
  /** Null where the line is damaged. */
  readonly entry: SpoolEntry | null;
}

const LINE_END = 0x0a;

/** Hexadecimal digits of SHA-256: 64 bits, against accidents alone. */
const CHECKSUM_LENGTH = 16;

const checksumOf = (json: Buffer): string =>
  createHash('sha256').update(json).digest('hex').slice(0, CHECKSUM_LENGTH);

/** `<checksum> <JSON>` and a line end. */
export function lineOf(entry: SpoolEntry): Buffer {
  const json = Buffer.from(JSON.stringify(entry));
  return Buffer.concat([Buffer.from(`${checksumOf(json)} `), json, Buffer.of(LINE_END)]);
}

/** What {@link lineOf} made a line of; null where the line is damaged. A shape under its checksum is trusted. */
export function entryOf(line: Buffer): SpoolEntry | null {
  const json = line.subarray(CHECKSUM_LENGTH + 1, -1);
  const isWhole = line.toString('latin1', 0, CHECKSUM_LENGTH + 1) === `${checksumOf(json)} `;
  return isWhole ? (JSON.parse(json.toString()) as SpoolEntry) : null;
}

/** The lines of a file that end; what comes after the last line end is left out. */
export function* linesIn(bytes: Buffer): Generator<FoundLine> {
  for (let offset = 0, end: number; (end = bytes.indexOf(LINE_END, offset) + 1) > 0; offset = end)
    yield { offset, length: end - offset, entry: entryOf(bytes.subarray(offset, end)) };
}
