/** What stands above the figures of a bench. */
import type { Machine } from '../machine.ts';

/** The command that asks for the same again, and what it ran on. */
export const headingOf = ({ date, commit, cpu, cores, node }: Machine, command: string): string =>
  [
    `- command: \`${command}\``,
    `- date, commit: ${date}, ${commit ?? 'unknown'}`,
    `- machine: ${cpu}, ${cores} cores; Node ${node}`,
  ].join('\n');
