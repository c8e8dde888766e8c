/** The plots of the report and the files they go to, beside docs/performance.md. */
import type { Results } from '../results.ts';
import { ENDPOINTING_MS } from './goals.ts';
import { type Plot, svgOf } from './plot.ts';

export const DELAY_PLOT = 'performance-delay.svg';
export const COST_PLOT = 'performance-cost.svg';

/** File names and contents. */
export function plotsOf(results: Results): ReadonlyMap<string, string> {
  return new Map([
    [DELAY_PLOT, svgOf(delayPlot(results))],
    [COST_PLOT, svgOf(costPlot(results))],
  ]);
}

function delayPlot({ levels }: Results): Plot {
  const series = (name: string, of: 'firstPartialMs' | 'finalMs', p: 'p50' | 'p95') => ({
    name,
    points: levels.flatMap((run) => {
      const summary = run[of];
      return summary ? [{ x: run.speakers, y: summary[p] }] : [];
    }),
  });
  return {
    title: 'Delay over the number of speakers',
    xLabel: 'speakers at once',
    yLabel: 'ms after speech begins or ends',
    xScale: 'log2',
    yScale: 'linear',
    series: [
      series('final, p50', 'finalMs', 'p50'),
      series('final, p95', 'finalMs', 'p95'),
      series('first partial, p50', 'firstPartialMs', 'p50'),
      series('first partial, p95', 'firstPartialMs', 'p95'),
    ],
    mark: { y: ENDPOINTING_MS, name: 'endpointing' },
  };
}

function costPlot({ engines }: Results): Plot {
  return {
    title: 'Processor time of one pass against the length of its window',
    xLabel: 'seconds of audio in the window',
    yLabel: 'CPU-ms, all threads',
    xScale: 'linear',
    yScale: 'log10',
    series: engines.map(({ engine, windows }) => ({
      name: engine,
      points: windows.map(({ seconds, cpuMs }) => ({ x: seconds, y: cpuMs })),
    })),
  };
}
