/** How much the fault suites do, from what chance, and what is kept of it. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seeded } from '../../src/flow/chance.ts';
import { type Results, withPromises } from './document.ts';

/** Set by `npm run test:faults`: the figures of docs/reliability.md rather than a taste of them. */
export const isLong = process.env.FAULTS === 'long';

/** @param short Within seconds, in `npm test`. @param long What is promised. */
export const times = (short: number, long: number): number => (isLong ? long : short);

/**
 * Of this run; set FAULTS_SEED to have one again. A short run has the same each time: what chance does not happen to meet
 * in so few steps is nobody's mistake.
 */
export const SEED = Number(process.env.FAULTS_SEED ?? (isLong ? Date.now() % 1_000_000 : 1));

/** Chance for one suite, which it prints so that a failure can be had again. */
export function chanceFor(suite: string): Random {
  console.log(`${suite}: FAULTS_SEED=${SEED}`);
  return seeded(SEED + ([...suite].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1_000_003));
}

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const RESULTS = join(DOCS, 'reliability.json');
/** Its table is made anew whenever a result is kept. */
export const DOCUMENT = join(DOCS, 'reliability.md');

/** What the long suites last found. */
export const lastResults = (): Results => JSON.parse(readFileSync(RESULTS, 'utf8')) as Results;

/**
 * Keeps what a long suite found; a short one only prints it.
 * @param promise As docs/reliability.md names it, e.g. `A1 postgres`.
 * @param result In numbers: what was done, and what came of it.
 */
export function keepResult(promise: string, result: string): void {
  console.log(`${promise}: ${result}`);
  if (!isLong) return;
  const date = new Date().toISOString().slice(0, 10);
  exclusively(() => {
    const results = { ...lastResults(), [promise]: { result, date } };
    const sorted = Object.fromEntries(
      Object.entries(results).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
    );
    writeFileSync(RESULTS, `${JSON.stringify(sorted, null, 2)}\n`);
    writeFileSync(DOCUMENT, withPromises(readFileSync(DOCUMENT, 'utf8'), sorted));
  });
}

/** Suites run in processes of their own, several at a time. */
function exclusively(work: () => void): void {
  const lock = `${RESULTS}.lock`;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; ; tries++) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (tries > 500) throw error;
      Atomics.wait(pause, 0, 0, 20);
    }
  }
  try {
    work();
  } finally {
    rmdirSync(lock);
  }
}
