/** What a process holds in memory while something happens. */
import { readFile } from 'node:fs/promises';

export interface Memory {
  /** In MB of 10⁶ bytes. */
  readonly startMb: number;
  /** The mean of the second quarter and of the last: where they differ, memory grows. */
  readonly earlyMb: number;
  readonly lateMb: number;
  readonly maxMb: number;
}

const EVERY_MS = 500;

/** @throws Error where the kernel does not tell (Linux does). */
async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024) / 1e6;
}

/** Watches process `pid` while `work` goes on. */
export async function watched<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ result: T; memory: Memory }> {
  const levels = [await residentMb(pid)];
  const watch = setInterval(() => {
    residentMb(pid).then(
      (level) => levels.push(level),
      () => clearInterval(watch),
    );
  }, EVERY_MS);
  try {
    const result = await work();
    levels.push(await residentMb(pid));
    return { result, memory: memoryOf(levels) };
  } finally {
    clearInterval(watch);
  }
}

/** @param levelsMb At equal distances in time; at least one. */
export function memoryOf(levelsMb: readonly number[]): Memory {
  const mean = (from: number, to: number): number => {
    const first = Math.min(levelsMb.length - 1, Math.floor(from * levelsMb.length));
    const part = levelsMb.slice(first, Math.max(first + 1, Math.ceil(to * levelsMb.length)));
    return part.reduce((sum, level) => sum + level, 0) / part.length;
  };
  return {
    startMb: levelsMb[0]!,
    earlyMb: mean(0.25, 0.5),
    lateMb: mean(0.75, 1),
    maxMb: Math.max(...levelsMb),
  };
}
