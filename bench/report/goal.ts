/** A figure that the project means to reach, beside what was measured. */
import { table } from './format.ts';

/** As it is shown; plain data, for it is kept beside the document. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  /** Null where it was not measured. */
  readonly reached: boolean | null;
}

/** A number and the side of its limit that is wanted. */
export interface Wanted {
  readonly what: string;
  readonly side: '≤' | '≥';
  readonly limit: number;
  /** Null or undefined where there is nothing to measure it by. */
  readonly measured: number | null | undefined;
  readonly show: (value: number) => string;
}

export const atMost = (
  what: string,
  measured: Wanted['measured'],
  limit: number,
  show: Wanted['show'],
): Wanted => ({ what, side: '≤', limit, measured, show });

export const atLeast = (
  what: string,
  measured: Wanted['measured'],
  limit: number,
  show: Wanted['show'],
): Wanted => ({ what, side: '≥', limit, measured, show });

/** Holds what was measured against its goal. */
export function judged({ what, side, limit, measured, show }: Wanted): Goal {
  const goal = `${side} ${show(limit)}`;
  if (measured === null || measured === undefined) return { what, goal, measured: 'none', reached: null };
  return {
    what,
    goal,
    measured: show(measured),
    reached: side === '≤' ? measured <= limit : measured >= limit,
  };
}

/** In a table. */
export function verdictOn({ reached }: Goal): string {
  if (reached === null) return '**not measured**';
  return reached ? 'reached' : '**missed**';
}

export const goalTable = (goals: readonly Goal[]): string =>
  table(
    ['', 'goal', 'measured', ''],
    goals.map((goal) => [goal.what, goal.goal, goal.measured, verdictOn(goal)]),
  );
