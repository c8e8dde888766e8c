/** What ran the measurements, without a word about where on the disk. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly platform: string;
  /** The commit, with `+` where tracked files of the gateway differ from it; null outside a repository. */
  readonly commit: string | null;
  /** ISO 8601 day. */
  readonly date: string;
  /** Processes that wanted a core in the minute before. */
  readonly loadBefore: number;
}

/** Where other processes take more cores than this, the figures are worse than they need be. */
export const BUSY_CORES = 0.2;

const WHAT_RUNS = ['src', 'models', 'drizzle', 'package-lock.json'];

export function describeMachine(now: Date): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    commit: commitOf(),
    date: now.toISOString().slice(0, 10),
    loadBefore: loadavg()[0]!,
  };
}

function commitOf(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--', ...WHAT_RUNS.map((path) => `:/${path}`));
    return git('rev-parse', '--short', 'HEAD') + (changed === '' ? '' : '+');
  } catch {
    return null;
  }
}

/**
 * Begins to watch what other processes take of the machine, which no measurement can tell from its own subject.
 * @returns A function that ends the watch: the CPU-seconds the measurement itself used in, the cores that others
 * kept busy on average out.
 */
export function watchOthers(): (ownCpuSeconds: number) => number {
  const startedMs = performance.now();
  const before = busyCpuSeconds();
  return (ownCpuSeconds) => {
    const seconds = (performance.now() - startedMs) / 1000;
    return Math.max(0, (busyCpuSeconds() - before - ownCpuSeconds) / seconds);
  };
}

/** What all processes used of all cores since the machine started. */
function busyCpuSeconds(): number {
  const busyMs = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  return busyMs.reduce((total, value) => total + value, 0) / 1000;
}

/** Of this process, all threads, so far. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
