/** How soon what a process died over was taken up again, told by the logs of the sessions. */
import type { Row } from './jobs.ts';

/** The life of a process: all in epoch ms. */
export interface Life {
  /** Null where it was killed before. */
  readonly readyMs: number | null;
  /** Null for the last, which was not. */
  readonly killedMs: number | null;
}

export interface Recovery {
  /** How often a process died over a recording that it had begun or gone on with. */
  readonly hits: number;
  /**
   * From the first of these deaths of each recording to the next event of its log, where no other process died between.
   * Later ones are another matter: what two processes died over has to wait until it can be worked on alone.
   */
  readonly sinceKillMs: readonly number[];
  /** The same from when the next process was ready; 0 where it was quicker than that. */
  readonly sinceReadyMs: readonly number[];
}

const ENDS: ReadonlySet<string> = new Set(['session.done', 'session.failed', 'session.sent']);

export function recoveryOf(sessions: readonly Row[], lives: readonly Life[]): Recovery {
  let hits = 0;
  const [sinceKillMs, sinceReadyMs]: [number[], number[]] = [[], []];
  for (const { events } of sessions) {
    let deaths = 0;
    for (const [index, { killedMs }] of lives.entries()) {
      const next = events.findIndex(({ atMs }) => killedMs !== null && atMs > killedMs);
      const last = events[next - 1];
      if (killedMs === null || !last || ENDS.has(last.type)) continue;
      if (last.atMs <= (lives[index - 1]?.killedMs ?? 0)) continue;
      hits++;
      const { atMs } = events[next]!;
      const life = lives[index + 1]!;
      if (++deaths > 1 || life.readyMs === null || (life.killedMs !== null && life.killedMs < atMs)) continue;
      sinceKillMs.push(atMs - killedMs);
      sinceReadyMs.push(Math.max(0, atMs - life.readyMs));
    }
  }
  return { hits, sinceKillMs, sinceReadyMs };
}

/** The longest, in seconds. */
export const longestS = (ms: readonly number[]): string => (Math.max(0, ...ms) / 1000).toFixed(1);
