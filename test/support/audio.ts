/** Audio for tests: the fixtures as samples, and sounds that nobody said. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { seeded } from '../../src/flow/chance.ts';

export const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

/** A fixture's path. */
export const fixture = (name: string): string => join(FIXTURES, name);

/** A 16 kHz mono WAV fixture with a plain header. */
export function readWav(name: string): Float32Array {
  const bytes = readFileSync(fixture(name));
  const pcm = new Int16Array(bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + bytes.length));
  return Float32Array.from(pcm, (sample) => sample / 32_768);
}

export const silence = (seconds: number): Float32Array => new Float32Array(seconds * SAMPLE_RATE_HZ);

export function tone(
  hz: number,
  seconds: number,
  rateHz: number = SAMPLE_RATE_HZ,
  level = 0.5,
): Float32Array {
  const length = Math.round(seconds * rateHz);
  return Float32Array.from({ length }, (_, i) => level * Math.sin((2 * Math.PI * hz * i) / rateHz));
}

export { seeded };

export function noise(seconds: number, level: number, seed = 1): Float32Array {
  const random = seeded(seed);
  return Float32Array.from({ length: seconds * SAMPLE_RATE_HZ }, () => level * (2 * random() - 1));
}

export function concat(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whether two recordings are the same, sample by sample; a matcher would take seconds over so many numbers. */
export const same = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((sample, i) => sample === b[i]);

/** The pieces of a whole, `size` at a time. */
export function* pieces<T extends { readonly length: number; subarray(from: number, to: number): T }>(
  whole: T,
  size: number,
): Generator<T> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
