/** Real speech for tests: the fixtures, their words, and how well they were heard. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wordErrorRate } from 'word-error-rate';

const folder = join(import.meta.dirname, '..', 'fixtures');

export interface Transcript {
  readonly language: string;
  readonly text: string;
}

/** What is said in each fixture, by file name. */
export const TRANSCRIPTS: Readonly<Record<string, Transcript>> = JSON.parse(
  readFileSync(join(folder, 'transcripts.json'), 'utf8'),
);

/** The path of a fixture. */
export const fixture = (name: string): string => join(folder, name);

/** The samples of a 16 kHz mono fixture, as 16-bit PCM without its header. */
export function pcmOf(name: string): Buffer {
  const wav = readFileSync(fixture(name));
  return wav.subarray(wav.indexOf('data') + 8);
}

/** Silence as 16-bit PCM at 16 kHz. */
export const silence = (ms: number): Buffer => Buffer.alloc(ms * 32);

/** Words without case and punctuation. */
export const plain = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/-/g, ' ')
    .replace(/\bmr\b\.?/g, 'mister')
    .replace(/[^\p{L}\p{N}\s']/gu, '')
    .replace(/\s+/g, ' ')
    .trim();

/** Word errors per word of the reference, 0 for none. */
export const errorRate = (heard: string, reference: string): number =>
  wordErrorRate(plain(heard), plain(reference));
