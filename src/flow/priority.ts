import { platform, setPriority } from 'node:os';

/**
 * Lets other threads of the machine go before this one. On Linux a priority belongs to the thread that asks
 * for it; elsewhere it belongs to the whole process, so there nothing is done.
 * @param nice 1–19; 0 is what threads begin with.
 */
export function lowerThreadPriority(nice: number): void {
  if (platform() === 'linux') setPriority(nice);
}
