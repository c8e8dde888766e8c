/** Tells a process from another that was given its pid later. */
import { readFileSync } from 'node:fs';

/**
 * When a process started, in clock ticks since the boot it names: a pid that was used again has another.
 * `unknown` where the system has no `/proc`; null where there is no such process.
 */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in parentheses that may itself hold spaces and parentheses; proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return null;
    return `${startTicks}-${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    try {
      process.kill(pid, 0);
      return 'unknown';
    } catch (error) {
      // EPERM: it lives, as another user.
      return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'unknown' : null;
    }
  }
}
